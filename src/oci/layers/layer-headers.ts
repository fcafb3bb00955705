import type { Hash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress } from 'node:zlib';
import { pathExists, temporaryPathFor } from '#host/files.ts';
import type { LayerFile } from '../descriptor.ts';
import { digestFrom } from '../digest.ts';
import { ByteSource } from './byte-source.ts';
import { Gathering } from './gathering.ts';
import { layerFailure } from './layer-failure.ts';
import { LayerFault } from './layer-fault.ts';
import { tooManyEntries } from './merge-tree.ts';
import {
  findCompression,
  hashed,
  newDiffId,
  openLayer,
  tooManyBytes,
  type LayerReading,
} from './open-layer.ts';
import { readTar, type TarMember } from './read-tar.ts';
import { paddedSizeOf } from './tar-header.ts';

/** A checksum ends it: what was cut off or damaged is not taken for the headers of a smaller layer. */
const PACKING = { params: { [constants.ZSTD_c_checksumFlag]: 1, [constants.ZSTD_c_compressionLevel]: 1 } };

/**
 * Reads a layer to its end, checks its diff id, and keeps its headers: of the next image that has this layer, only the contents need
 * to be uncompressed.
 *
 * @returns false where they are kept already
 * @throws UserError `IMAGE_LAYER_INVALID`, `IMAGE_TOO_LARGE`; the signal's reason
 */
export async function keepHeaders(layer: LayerFile, reading: LayerReading): Promise<boolean> {
  const { headersPath } = layer;
  if (headersPath === undefined || (await pathExists(headersPath))) return false;
  const partial = temporaryPathFor(headersPath);
  const packing = createZstdCompress(PACKING);
  const file = createWriteStream(partial, { flags: 'wx', mode: 0o600 });
  const writing = pipeline(packing, file);
  writing.catch(() => {}); // whoever writes hears of it
  try {
    const headers = new Gathering(packing);
    for await (const _ of readLayer(layer, reading, headers)) continue;
    await headers.end();
    await writing;
    await rename(partial, headersPath);
    return true;
  } catch (error) {
    packing.destroy();
    await Promise.allSettled([writing]);
    await rm(partial, { force: true });
    throw layerFailure(error, layer);
  }
}

/** The members of a layer, from its headers where they are kept. */
export async function* membersOf(layer: LayerFile, reading: LayerReading): AsyncGenerator<TarMember> {
  const { headersPath } = layer;
  if (headersPath === undefined || !(await pathExists(headersPath))) yield* readLayer(layer, reading);
  else yield* readKept(headersPath, reading);
}

async function* readLayer(
  layer: LayerFile,
  reading: LayerReading,
  headers?: Gathering,
): AsyncGenerator<TarMember> {
  const hash = newDiffId();
  await using source = new ByteSource(hashed(openLayer(layer.path, reading), hash), headers);
  let members = 0;
  for await (const member of readTar(source)) {
    // Before its bytes are waited for: a member of terabytes is refused at its header.
    if (member.size > reading.limits.maxBytes - reading.spent.bytes) throw tooManyBytes(reading.limits);
    members += 1;
    if (members > reading.limits.maxEntries) throw tooManyEntries(reading.limits);
    yield member;
    await source.skip(paddedSizeOf(member.size));
  }
  assertDiffId(hash, layer);
}

async function* readKept(path: string, { limits, spent, signal }: LayerReading): AsyncGenerator<TarMember> {
  // After a power cut it may be empty, or all zeroes, which is a tar without members.
  if ((await findCompression(path)) !== 'zstd')
    throw new LayerFault('what is kept of its headers is damaged');
  // Headers hold little; how well they were packed says nothing about the layer.
  const reading = { limits: { ...limits, maxRatio: Infinity }, spent: { bytes: 0 }, signal };
  await using source = new ByteSource(openLayer(path, reading));
  for await (const member of readTar(source)) {
    const size = paddedSizeOf(member.size);
    if (size > limits.maxBytes - spent.bytes) throw tooManyBytes(limits);
    spent.bytes += size;
    yield member;
  }
}

/** @throws LayerFault */
export function assertDiffId(hash: Hash, { diffId }: LayerFile): void {
  const found = digestFrom(hash);
  if (found === diffId) return;
  throw new LayerFault(`its content is "${found}", not "${diffId}" as the image's configuration says`);
}
