import type { LayerFile } from '../descriptor.ts';
import { ByteSource } from './byte-source.ts';
import { LayerFault } from './layer-fault.ts';
import { pathOf, type Entry } from './merge-tree.ts';
import { openLayer, type LayerReading } from './open-layer.ts';
import { entriesWithoutContent, type OutputPlan } from './output-plan.ts';
import { readTar, type TarMember } from './read-tar.ts';
import { paddedSizeOf } from './tar-header.ts';
import { namedLayer } from './layer-failure.ts';
import { MEMBER_TYPES, tarEnd, tarHeader } from './write-tar-header.ts';

const BATCH_BYTES = 64 * 1024;

/**
 * The merged tar: first what has no content, then the files in the order of their layers, each followed by its hard links.
 *
 * @throws UserError `IMAGE_LAYER_INVALID` when a layer is no more what it was when it was indexed
 */
export function writeMergedTar(
  layers: readonly LayerFile[],
  plan: OutputPlan,
  reading: LayerReading,
): AsyncGenerator<Buffer> {
  return batched(piecesOf(layers, plan, reading));
}

async function* piecesOf(
  layers: readonly LayerFile[],
  plan: OutputPlan,
  reading: LayerReading,
): AsyncGenerator<Buffer> {
  yield* headersWithoutContent(plan);
  for (const [number, layer] of layers.entries()) {
    const wanted = plan.files[number];
    if (wanted !== undefined && wanted.size > 0)
      yield* namedLayer(layer, filesOf(openLayer(layer.path, reading), wanted, plan));
  }
  yield tarEnd();
}

function* headersWithoutContent(plan: OutputPlan): Generator<Buffer> {
  for (const entry of entriesWithoutContent(plan)) {
    const [first] = plan.names.get(entry.inode) ?? [entry];
    yield entry === first ? ownHeader(entry) : linkHeader(entry, first);
  }
}

async function* filesOf(
  stream: AsyncIterable<Buffer>,
  wanted: ReadonlyMap<number, Entry>,
  plan: OutputPlan,
): AsyncGenerator<Buffer> {
  await using source = new ByteSource(stream);
  let missing = wanted.size;
  for await (const member of readTar(source)) {
    const entry = wanted.get(member.index);
    const padded = paddedSizeOf(member.size);
    if (entry === undefined) {
      await source.skip(padded);
      continue;
    }
    refuseChange(member, entry);
    yield ownHeader(entry);
    yield* source.pieces(padded);
    const [, ...links] = plan.names.get(entry.inode) ?? [];
    for (const link of links) yield linkHeader(link, entry);
    missing -= 1;
    if (missing === 0) return;
  }
  throw changed();
}

function refuseChange(member: TarMember, { inode }: Entry): void {
  if (member.type !== '0' || member.size !== inode.size) throw changed();
}

const changed = () => new LayerFault('it was changed while it was read');

function ownHeader(entry: Entry): Buffer {
  const { inode } = entry;
  const member = {
    ...inode,
    type: MEMBER_TYPES[inode.kind],
    name: tarPath(entry),
    linkTarget: inode.target,
  };
  const isDevice = inode.kind === 'character' || inode.kind === 'block';
  return tarHeader(isDevice ? member : { ...member, major: 0, minor: 0 });
}

function linkHeader(entry: Entry, first: Entry): Buffer {
  return tarHeader({
    ...{ ...entry.inode, name: tarPath(entry), type: '1', linkTarget: tarPath(first) },
    ...{ size: 0, major: 0, minor: 0, xattrs: [] },
  });
}

function tarPath(entry: Entry): string {
  const slash = entry.children !== undefined && entry.parent !== undefined ? '/' : '';
  return `./${pathOf(entry)}${slash}`;
}

/** Small files and their headers are many small pieces, and each would cost a write. */
export async function* batched(parts: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let batch: Buffer[] = [];
  let bytes = 0;
  for await (const part of parts) {
    batch.push(part);
    bytes += part.length;
    if (bytes < BATCH_BYTES) continue;
    yield batch.length === 1 ? part : Buffer.concat(batch, bytes);
    batch = [];
    bytes = 0;
  }
  yield Buffer.concat(batch, bytes);
}
