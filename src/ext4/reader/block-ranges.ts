import type { Inode } from './inode.ts';
import { unreadable } from './unreadable.ts';

/** Blocks of a file that follow each other, in the file as on the disk. */
export interface BlockRange {
  /** Of the file. */
  first: number;
  count: number;
  /** On the disk. */
  at: number;
}

export interface DiskBlocks {
  blockBytes: number;
  read: (block: number) => Promise<Buffer>;
}

const EXTENT_MAGIC = 0xf30a;
const EXTENT_BYTES = 12;
const MAX_DEPTH = 5;
/** An extent that is longer has space but no content yet. */
const MAX_WRITTEN = 32_768;
const DIRECT_POINTERS = 12;
const POINTER_BYTES = 4;

/** Where a file's content is, in its order; what is left out is a hole. */
export function blockRanges(inode: Inode, disk: DiskBlocks): AsyncGenerator<BlockRange> {
  return inode.hasExtents ? inOrder(extentsOf(inode.map, disk, MAX_DEPTH)) : pointersOf(inode, disk);
}

/** An extent that comes twice, or a tree that leads back into itself, ends here. */
async function* inOrder(ranges: AsyncIterable<BlockRange>): AsyncGenerator<BlockRange> {
  let next = 0;
  for await (const range of ranges) {
    if (range.first < next) throw unreadable('the extents of a file are out of order');
    next = range.first + range.count;
    yield range;
  }
}

async function* extentsOf(node: Buffer, disk: DiskBlocks, depthLeft: number): AsyncGenerator<BlockRange> {
  const entries = node.readUInt16LE(2);
  const depth = node.readUInt16LE(6);
  const isSound = node.readUInt16LE(0) === EXTENT_MAGIC && depth <= depthLeft;
  if (!isSound || (entries + 1) * EXTENT_BYTES > node.length) throw unreadable('an extent tree is damaged');
  for (let index = 1; index <= entries; index += 1) {
    const entry = node.subarray(index * EXTENT_BYTES, (index + 1) * EXTENT_BYTES);
    if (depth > 0) {
      const child = entry.readUInt32LE(4) + entry.readUInt16LE(8) * 2 ** 32;
      yield* extentsOf(await disk.read(child), disk, depth - 1);
      continue;
    }
    const count = entry.readUInt16LE(4);
    const at = entry.readUInt32LE(8) + entry.readUInt16LE(6) * 2 ** 32;
    if (count > 0 && count <= MAX_WRITTEN) yield { first: entry.readUInt32LE(0), count, at };
  }
}

async function* pointersOf({ map }: Inode, disk: DiskBlocks): AsyncGenerator<BlockRange> {
  for (let index = 0; index < DIRECT_POINTERS; index += 1) yield* single(index, map.readUInt32LE(index * 4));
  let first = DIRECT_POINTERS;
  for (const depth of [1, 2, 3]) {
    const at = map.readUInt32LE((DIRECT_POINTERS + depth - 1) * 4);
    if (at !== 0) yield* indirect({ at, first, depth }, disk);
    first += (disk.blockBytes / POINTER_BYTES) ** depth;
  }
}

async function* indirect(
  { at, first, depth }: { at: number; first: number; depth: number },
  disk: DiskBlocks,
): AsyncGenerator<BlockRange> {
  const block = await disk.read(at);
  const pointers = block.length / POINTER_BYTES;
  for (let index = 0; index < pointers; index += 1) {
    const child = block.readUInt32LE(index * POINTER_BYTES);
    const childFirst = first + index * pointers ** (depth - 1);
    if (depth === 1) yield* single(childFirst, child);
    else if (child !== 0) yield* indirect({ at: child, first: childFirst, depth: depth - 1 }, disk);
  }
}

function* single(first: number, at: number): Generator<BlockRange> {
  if (at !== 0) yield { first, count: 1, at };
}
