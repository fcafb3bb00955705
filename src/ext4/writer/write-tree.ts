import { open, type FileHandle } from 'node:fs/promises';
import type { Abortable } from '#base/abort.ts';
import { writeWhole } from '#host/files.ts';
import {
  freeBlocksOf,
  parseSuperblock,
  SUPERBLOCK_BYTES,
  SUPERBLOCK_OFFSET,
  updatedSuperblock,
  type Superblock,
} from './superblock.ts';
import { BlockAllocator } from './block-allocator.ts';
import { BlockGroups } from './block-groups.ts';
import { ContentPlaces } from './content-places.ts';
import { clearMadeFolders } from './clear-made-folders.ts';
import { EarlySync } from './early-sync.ts';
import type { FileTree } from './file-tree.ts';
import { numberInodes, type InodeNumbers } from './inode-numbers.ts';
import { NodeWriter } from './node-writer.ts';
import { SequentialWriter } from './sequential-writer.ts';
import { withLostAndFound } from './lost-and-found.ts';

/**
 * Fills the empty file system that mke2fs has just made in a new file. Everything is placed before anything is written, so that
 * the contents can be written in the order in which they come, at most one buffer of each reader's in memory.
 *
 * @throws UserError `DISK_TOO_SMALL`, `IMAGE_BUILD_FAILED`; what reading the contents throws; the signal's reason
 */
export async function writeTree(path: string, tree: FileTree, options: Abortable): Promise<void> {
  const file = await open(path, 'r+');
  try {
    const bytes = Buffer.alloc(SUPERBLOCK_BYTES);
    await file.read(bytes, 0, bytes.length, SUPERBLOCK_OFFSET);
    await fill({ file, superblock: parseSuperblock(bytes) }, tree, options);
  } finally {
    await file.close();
  }
}

async function fill(
  { file, superblock }: { file: FileHandle; superblock: Superblock },
  tree: FileTree,
  { signal }: Abortable,
): Promise<void> {
  const groups = await BlockGroups.read(file, superblock);
  const released = await clearMadeFolders(file, groups, superblock);
  const allocator = new BlockAllocator(groups, superblock);
  const numbers = numberInodes(withLostAndFound(tree.root), superblock);
  const places = new ContentPlaces(superblock.blockBytes, tree.onContent?.bind(tree));
  const nodes = new NodeWriter({ file, superblock, groups, allocator, numbers, places });
  await nodes.writeAll({ signal });
  await groups.save({ lastInode: numbers.last, folders: countFolders(numbers, superblock) });
  const blocks = freeBlocksOf(superblock) + released - allocator.taken;
  const updated = updatedSuperblock(superblock, { blocks, inodes: superblock.inodes - numbers.last });
  await writeWhole(file, updated, SUPERBLOCK_OFFSET);
  const readers = tree.contents.values();
  const sync = new EarlySync(file);
  const writing = inTwos(async () => {
    for (const read of readers) await writeContents(read, { file, places, signal, onWritten: sync.wrote });
  });
  const [written] = await Promise.allSettled([writing]);
  const [synced] = await Promise.allSettled([sync.settle()]);
  for (const one of [written, synced]) if (one.status === 'rejected') throw one.reason;
}

/** While one waits for the disk or for what uncompresses its layer, the other goes on; both have ended when it fails. */
async function inTwos(work: () => Promise<void>): Promise<void> {
  const ended = await Promise.allSettled([work(), work()]);
  const failed = ended.find((one) => one.status === 'rejected');
  if (failed) throw failed.reason;
}

interface ContentsPlace extends Abortable {
  file: FileHandle;
  places: ContentPlaces;
  onWritten: (bytes: number) => void;
}

async function writeContents(
  read: FileTree['contents'][number],
  { file, places, signal, onWritten }: ContentsPlace,
): Promise<void> {
  const writer = new SequentialWriter(file, { maxGap: places.blockBytes - 1, onWritten });
  await read((inode, offset, piece) => places.write(writer, { inode, offset, piece }), { signal });
  await writer.flush();
}

function countFolders({ nodes }: InodeNumbers, { inodesPerGroup }: Superblock): number[] {
  const counts: number[] = [];
  for (const { node, number } of nodes) {
    if (!node.children) continue;
    const group = Math.floor((number - 1) / inodesPerGroup);
    counts[group] = (counts[group] ?? 0) + 1;
  }
  return counts;
}
