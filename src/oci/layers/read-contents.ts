import type { LayerFile } from '../descriptor.ts';
import { ByteSource } from './byte-source.ts';
import { layerFailure } from './layer-failure.ts';
import { assertDiffId } from './layer-headers.ts';
import { LayerFault } from './layer-fault.ts';
import type { Entry, Inode } from './merge-tree.ts';
import { hashed, newDiffId, openLayer, findCompression, type LayerReading } from './open-layer.ts';
import { readTar } from './read-tar.ts';
import { paddedSizeOf } from './tar-header.ts';

/** Takes the content of a file, from its begin to its end. */
export type TakeContent = (inode: Inode, offset: number, piece: Buffer) => Promise<void> | void;

export interface WantedContents {
  /** Members of the layer, by their place in it. */
  wanted: ReadonlyMap<number, Entry> | undefined;
  take: TakeContent;
}

/**
 * Reads a layer again, for the content of some of its files, and to its end: only there it turns out whether these are its contents.
 * When it was checked is perhaps long ago, when its headers were kept.
 *
 * @throws UserError `IMAGE_LAYER_INVALID` when it is no more what it was when it was indexed
 */
export async function readContents(
  layer: LayerFile,
  { wanted, take }: WantedContents,
  reading: LayerReading,
): Promise<void> {
  if (wanted === undefined || wanted.size === 0) return;
  try {
    let missing = wanted.size;
    // It has a checksum of its own.
    const isGzip = (await findCompression(layer.path)) === 'gzip';
    const hash = isGzip ? undefined : newDiffId();
    const stream = openLayer(layer.path, reading);
    await using source = new ByteSource(hash ? hashed(stream, hash) : stream);
    for await (const member of readTar(source)) {
      const inode = wanted.get(member.index)?.inode;
      if (inode === undefined) {
        await source.skip(paddedSizeOf(member.size));
        continue;
      }
      if (member.type !== '0' || member.size !== inode.size) throw changed();
      await source.deliver(member.size, (piece, offset) => take(inode, offset, piece));
      await source.skip(paddedSizeOf(member.size) - member.size);
      missing -= 1;
    }
    if (missing > 0) throw changed();
    if (hash) assertDiffId(hash, layer);
  } catch (error) {
    throw layerFailure(error, layer);
  }
}

const changed = () => new LayerFault('it was changed while it was read');
