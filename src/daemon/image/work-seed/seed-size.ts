import { MiB } from '#base/sizes.ts';
import { BYTES_PER_INODE } from '#ext4/mke2fs-arguments.ts';
import type { HomeEntry } from './home.ts';

export const SEED_JOURNAL_MIB = 32;

const BLOCK_BYTES = 4096;
const FLOOR_BYTES = 512 * MiB;
const ROOM_BYTES = 256 * MiB;
const STEP_BYTES = 64 * MiB;
/** For each byte of content, what the file system needs for itself; mke2fs asks for a bit more than a 64th. */
const OVERHEAD = 1 / 48;

/** The size of a file system that holds these with room beside them. */
export function seedSize(entries: readonly HomeEntry[]): number {
  const files = entries.filter(({ sameAs }) => sameAs === undefined);
  const content = files.reduce((sum, { content: { size } }) => sum + roundUp(size, BLOCK_BYTES), 0);
  const blocks = content + entries.length * BLOCK_BYTES;
  const needed = Math.max(blocks, entries.length * BYTES_PER_INODE) * (1 + OVERHEAD);
  return roundUp(Math.max(FLOOR_BYTES, needed + ROOM_BYTES + SEED_JOURNAL_MIB * MiB), STEP_BYTES);
}

function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}
