import { createHash, type Hash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import type { Abortable } from '#base/abort.ts';
import { formatSize } from '#base/sizes.ts';
import { LayerFault } from './layer-fault.ts';
import type { LayerLimits } from './layer-limits.ts';

type Compression = 'gzip' | 'zstd' | 'none';

/** Uncompressing in pieces of a quarter of this takes twice as long. */
const CHUNK_BYTES = 256 * 1024;
const GZIP = Buffer.from([0x1f, 0x8b]);
const ZSTD = { frame: 0xfd2fb528, skippable: 0x184d2a50 };

/** What the layers of one image have cost until now. */
export interface Spent {
  bytes: number;
}

export interface LayerReading extends Abortable {
  /** How much comes at once, about; more is faster for large files, and takes more memory. */
  chunkBytes?: number;
  limits: LayerLimits;
  spent: Spent;
}

/**
 * The uncompressed bytes of a layer. How it is compressed its first bytes tell: media types are often wrong about it, and archives
 * have none.
 *
 * @throws LayerFault when it cannot be uncompressed, or becomes larger than the limits allow
 */
export async function* openLayer(path: string, reading: LayerReading): AsyncGenerator<Buffer> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const head = Buffer.alloc(4);
    await file.read(head, 0, head.length, 0);
    const raw = file.createReadStream({ start: 0, highWaterMark: CHUNK_BYTES, autoClose: false });
    yield* bounded(
      uncompressed(raw, { compression: compressionOf(head), size, chunkSize: reading.chunkBytes }),
      size,
      reading,
    );
  } finally {
    await file.close();
  }
}

/** As the first bytes of a file tell. */
export async function findCompression(path: string): Promise<Compression> {
  const file = await open(path, 'r');
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(4), 0, 4, 0);
    return bytesRead === 4 ? compressionOf(buffer) : 'none';
  } finally {
    await file.close();
  }
}

/** Adds what passes to a digest. */
export async function* hashed(stream: AsyncIterable<Buffer>, hash: Hash): AsyncGenerator<Buffer> {
  for await (const chunk of stream) {
    hash.update(chunk);
    yield chunk;
  }
}

export const newDiffId = (): Hash => createHash('sha256');

function compressionOf(head: Buffer): Compression {
  if (head.subarray(0, 2).equals(GZIP)) return 'gzip';
  const magic = head.readUInt32LE();
  // The last four bits of a skippable frame's number are free.
  const isSkippable = magic - (magic % 16) === ZSTD.skippable;
  return magic === ZSTD.frame || isSkippable ? 'zstd' : 'none';
}

interface Packing {
  compression: Compression;
  size: number;
  chunkSize: number | undefined;
}

async function* uncompressed(
  raw: Readable,
  { compression, size, chunkSize = CHUNK_BYTES }: Packing,
): AsyncGenerator<Buffer> {
  if (compression === 'none') {
    yield* raw as AsyncIterable<Buffer>;
    return;
  }
  const engine = compression === 'gzip' ? createGunzip({ chunkSize }) : createZstdDecompress({ chunkSize });
  pipeline(raw, engine, () => {
    // How it ended, whoever reads from the engine is told.
  });
  try {
    yield* engine as AsyncIterable<Buffer>;
  } catch (error) {
    throw isDamage(error) ? new LayerFault(`its ${compression} data is damaged or cut off`) : error;
  }
  if (engine.bytesWritten !== size) throw new LayerFault(`it has something after its ${compression} data`);
}

/** Errors of zlib and zstd have numbers of their own; those of reading are the system's. */
function isDamage(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return code.startsWith('Z_') || code.startsWith('ZSTD_') || code === 'ERR_ZSTD_INVALID_PARAM';
}

async function* bounded(
  stream: AsyncIterable<Buffer>,
  size: number,
  { limits, spent, signal }: LayerReading,
): AsyncGenerator<Buffer> {
  const most = Math.max(limits.ratioFreeBytes, size * limits.maxRatio);
  let bytes = 0;
  for await (const chunk of stream) {
    signal?.throwIfAborted();
    bytes += chunk.length;
    spent.bytes += chunk.length;
    if (bytes > most) {
      const condition = `${formatSize(size)} become more than ${formatSize(most)}, which no software does`;
      throw new LayerFault(condition, 'IMAGE_TOO_LARGE');
    }
    if (spent.bytes > limits.maxBytes) throw tooManyBytes(limits);
    yield chunk;
  }
}

export function tooManyBytes({ maxBytes }: LayerLimits): LayerFault {
  return new LayerFault(`the layers hold more than ${formatSize(maxBytes)}`, 'IMAGE_TOO_LARGE');
}
