import type { FileHandle } from 'node:fs/promises';
import type { ProgressReporter } from '#base/progress.ts';

const CHUNK_BYTES = 2 ** 20;
const ZEROES = Buffer.alloc(CHUNK_BYTES);
const REPORT_EVERY_CHUNKS = 64;

/** The bytes of a disk. Most of one is holes: memory is taken only for what is not. */
export async function* readDisk(
  disk: FileHandle,
  sizeBytes: number,
  report: ProgressReporter,
): AsyncGenerator<Buffer> {
  const scratch = Buffer.alloc(CHUNK_BYTES);
  for (let offset = 0, count = 0; offset < sizeBytes; count += 1) {
    const { bytesRead } = await disk.read(scratch, 0, Math.min(CHUNK_BYTES, sizeBytes - offset), offset);
    if (bytesRead === 0) throw new Error('the disk of the image became shorter');
    offset += bytesRead;
    if (count % REPORT_EVERY_CHUNKS === 0) report.progress(offset, sizeBytes, 'bytes');
    const chunk = scratch.subarray(0, bytesRead);
    const zeroes = ZEROES.subarray(0, bytesRead);
    yield chunk.equals(zeroes) ? zeroes : Buffer.from(chunk); // whoever packs it may still read it when the next one comes
  }
}
