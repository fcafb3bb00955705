import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { KiB } from '#base/sizes.ts';
import type { ProgressReporter } from '#base/progress.ts';
import { writeWhole } from '#host/files.ts';
import { LayerFault } from '#oci/layers/layer-fault.ts';
import type { ByteSource } from '#oci/layers/byte-source.ts';

const CHUNK_BYTES = 256 * KiB;
/** What a file system of the host can leave out. */
const BLOCK_BYTES = 4096;
const ZEROES = Buffer.alloc(CHUNK_BYTES);
const REPORT_EVERY_CHUNKS = 64;

export interface SparseTarget {
  /** Nothing is there yet. */
  path: string;
  sizeBytes: number;
}

/** Writes what comes from the source to a new file that has holes where it is all zeroes; returns the sha256 of it. */
export async function writeSparse(
  source: ByteSource,
  { path, sizeBytes }: SparseTarget,
  report: ProgressReporter,
): Promise<string> {
  const hash = createHash('sha256');
  await using file = await open(path, 'wx', 0o600);
  await file.truncate(sizeBytes);
  for (let offset = 0, count = 0; offset < sizeBytes; count += 1) {
    const chunk = await source.take(Math.min(CHUNK_BYTES, sizeBytes - offset));
    if (!chunk) throw new LayerFault('it ends in the middle of a member');
    const writing = writeRuns(file, chunk, offset);
    hash.update(chunk); // while the disk works
    await writing;
    offset += chunk.length;
    if (count % REPORT_EVERY_CHUNKS === 0 || offset === sizeBytes)
      report.progress(offset, sizeBytes, 'bytes');
  }
  await file.sync();
  return hash.digest('hex');
}

/** Whatever lies between blocks that are all zeroes, in one piece each. */
async function writeRuns(file: FileHandle, chunk: Buffer, offset: number): Promise<void> {
  if (isZero(chunk)) return;
  for (let start = 0; start < chunk.length;) {
    const length = runLength(chunk, start);
    if (length > 0) await writeWhole(file, chunk.subarray(start, start + length), offset + start);
    start += Math.max(length, BLOCK_BYTES);
  }
}

function runLength(chunk: Buffer, start: number): number {
  let end = start;
  while (end < chunk.length && !isZero(chunk.subarray(end, end + BLOCK_BYTES))) end += BLOCK_BYTES;
  return Math.min(end, chunk.length) - start;
}

function isZero(bytes: Buffer): boolean {
  return ZEROES.compare(bytes, 0, bytes.length, 0, bytes.length) === 0;
}
