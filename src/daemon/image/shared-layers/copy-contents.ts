import type { FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import type { Abortable } from '#base/abort.ts';
import { KiB, MiB } from '#base/sizes.ts';
import type { WantedContents } from '#oci/layers/read-contents.ts';
import type { ContentIndex, ContentRun } from './content-index.ts';

/** So much is read at once, and read in vain rather than asked for twice. */
const WINDOW_BYTES = MiB;
const GAP_BYTES = 64 * KiB;

/** The disk of the other image is not what it was. */
export class DamagedContents extends Error {}

export interface ContentSource {
  disk: FileHandle;
  index: ContentIndex;
  rows: Uint32Array;
}

/**
 * Hands over contents from where they lie in the root disk of another image. Nothing is handed over that has not the checksum
 * which it had when it was written.
 *
 * @throws DamagedContents; the signal's reason
 */
export async function copyContents(
  { disk, index, rows }: ContentSource,
  { wanted, take }: WantedContents,
  { signal }: Abortable,
): Promise<void> {
  const window = Buffer.alloc(WINDOW_BYTES);
  for (const runs of windowsOf(index, rows)) {
    signal?.throwIfAborted();
    const [first, last] = [runs[0], runs.at(-1)];
    if (!first || !last) continue;
    await readWhole(disk, window.subarray(0, last.position + last.length - first.position), first.position);
    for (const { member, offset, position, length, crc32: checksum } of runs) {
      const inode = wanted?.get(member)?.inode;
      const piece = window.subarray(position - first.position, position - first.position + length);
      if (!inode || crc32(piece) !== checksum) throw new DamagedContents('its checksum is another');
      const taken = take(inode, offset, piece);
      if (taken) await taken;
    }
  }
}

/** Runs that lie close together. */
function* windowsOf(index: ContentIndex, rows: Uint32Array): Generator<ContentRun[]> {
  let runs: ContentRun[] = [];
  let begin = 0;
  let end = 0;
  for (const row of rows) {
    const run = index.run(row);
    const isNear = run.position - end <= GAP_BYTES && run.position + run.length - begin <= WINDOW_BYTES;
    if (runs.length > 0 && !isNear) {
      yield runs;
      runs = [];
    }
    if (runs.length === 0) begin = run.position;
    runs.push(run);
    end = run.position + run.length;
  }
  if (runs.length > 0) yield runs;
}

async function readWhole(disk: FileHandle, target: Buffer, position: number): Promise<void> {
  try {
    const { bytesRead } = await disk.read(target, 0, target.length, position);
    if (bytesRead === target.length) return;
  } catch (cause) {
    throw new DamagedContents('it cannot be read', { cause });
  }
  throw new DamagedContents('it is shorter than it was');
}
