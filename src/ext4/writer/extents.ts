import { crc32c } from './crc32c.ts';

/** Blocks of a file that lie in a row. */
export interface Extent {
  /** The first of them within the file. */
  logical: number;
  start: number;
  length: number;
}

export interface ExtentIndex {
  logical: number;
  block: number;
}

const MAGIC = 0xf30a;
const HEADER = 12;
const ENTRY = 12;
/** How many fit into an inode. */
export const INODE_EXTENTS = 4;
/** More blocks than these cannot be one extent. */
export const MAX_EXTENT_BLOCKS = 32_768;

/** The 60 bytes of an inode for a file with at most four extents. */
export function inlineExtents(extents: readonly Extent[]): Buffer {
  const bytes = Buffer.alloc(60);
  writeHeader(bytes, { entries: extents.length, most: INODE_EXTENTS, depth: 0 });
  extents.forEach((extent, index) => writeExtent(bytes, HEADER + index * ENTRY, extent));
  return bytes;
}

/** The 60 bytes of an inode whose extents stand in these blocks. */
export function inlineIndex(leaves: readonly ExtentIndex[]): Buffer {
  const bytes = Buffer.alloc(60);
  writeHeader(bytes, { entries: leaves.length, most: INODE_EXTENTS, depth: 1 });
  leaves.forEach(({ logical, block }, index) => {
    const at = HEADER + index * ENTRY;
    bytes.writeUInt32LE(logical, at);
    bytes.writeUInt32LE(block % 2 ** 32, at + 4);
    bytes.writeUInt16LE(Math.floor(block / 2 ** 32), at + 8);
  });
  return bytes;
}

/** How many fit into a block, with the checksum behind them. */
export function extentsPerLeaf(blockBytes: number): number {
  return Math.floor((blockBytes - HEADER - 4) / ENTRY);
}

/** A block of extents; `seed` is the inode's. */
export function extentLeaf(extents: readonly Extent[], blockBytes: number, seed: number): Buffer {
  const bytes = Buffer.alloc(blockBytes);
  const most = extentsPerLeaf(blockBytes);
  writeHeader(bytes, { entries: extents.length, most, depth: 0 });
  extents.forEach((extent, index) => writeExtent(bytes, HEADER + index * ENTRY, extent));
  const end = HEADER + most * ENTRY;
  bytes.writeUInt32LE(crc32c(seed, bytes.subarray(0, end)), end);
  return bytes;
}

/** Of a folder that mke2fs made: few enough for the inode itself. */
export function parseInlineExtents(map: Buffer): Extent[] {
  return Array.from({ length: map.readUInt16LE(2) }, (_, index) => {
    const at = HEADER + index * ENTRY;
    const start = map.readUInt32LE(at + 8) + map.readUInt16LE(at + 6) * 2 ** 32;
    return { logical: map.readUInt32LE(at), start, length: map.readUInt16LE(at + 4) };
  });
}

function writeHeader(
  bytes: Buffer,
  { entries, most, depth }: Record<'entries' | 'most' | 'depth', number>,
): void {
  bytes.writeUInt16LE(MAGIC, 0);
  bytes.writeUInt16LE(entries, 2);
  bytes.writeUInt16LE(most, 4);
  bytes.writeUInt16LE(depth, 6);
}

function writeExtent(bytes: Buffer, at: number, { logical, start, length }: Extent): void {
  bytes.writeUInt32LE(logical, at);
  bytes.writeUInt16LE(length, at + 4);
  bytes.writeUInt16LE(Math.floor(start / 2 ** 32), at + 6);
  bytes.writeUInt32LE(start % 2 ** 32, at + 8);
}
