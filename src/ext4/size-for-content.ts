import { MiB } from '#base/sizes.ts';
import { BYTES_PER_INODE } from './mke2fs-arguments.ts';

const BLOCK_BYTES = 4096;
const FLOOR_BYTES = 512 * MiB;
const ROOM = 1.25;

/** The size of a file system that holds this content with room for a first start: a quarter more, and as many more files. */
export function sizeForContent(content: {
  entries: number;
  contentBytes: number;
  journalMiB: number;
}): number {
  const { entries, contentBytes, journalMiB } = content;
  // Each file wastes half a block on average, and a folder takes one.
  const blocks = contentBytes + entries * BLOCK_BYTES;
  const inodes = entries * BYTES_PER_INODE;
  const bytes = Math.max(FLOOR_BYTES, Math.max(blocks, inodes) * ROOM + journalMiB * MiB);
  return Math.ceil(bytes / (4 * MiB)) * 4 * MiB;
}
