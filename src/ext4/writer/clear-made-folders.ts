import type { FileHandle } from 'node:fs/promises';
import { writeWhole } from '#host/files.ts';
import { parseInlineExtents } from './extents.ts';
import { ROOT_INODE } from './inode.ts';
import type { Superblock } from './superblock.ts';
import type { BlockGroups } from './block-groups.ts';

/**
 * Takes away the root folder and lost+found as mke2fs made them: they are made anew. Their blocks become zeroes and free.
 *
 * @returns how many blocks these were
 */
export async function clearMadeFolders(
  file: FileHandle,
  groups: BlockGroups,
  superblock: Superblock,
): Promise<number> {
  const { blockBytes, inodeBytes, firstInode } = superblock;
  let released = 0;
  for (const number of [ROOT_INODE, firstInode]) {
    const inode = Buffer.alloc(inodeBytes);
    await file.read(inode, 0, inodeBytes, groups.inodeOffset(number));
    for (const { start, length } of parseInlineExtents(inode.subarray(0x28, 0x64))) {
      await groups.release(start, length);
      await writeWhole(file, Buffer.alloc(length * blockBytes), start * blockBytes);
      released += length;
    }
    await writeWhole(file, Buffer.alloc(inodeBytes), groups.inodeOffset(number));
  }
  return released;
}
