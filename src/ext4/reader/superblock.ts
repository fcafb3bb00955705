import { unreadable } from './unreadable.ts';

/** Where things are in an ext2, ext3 or ext4 file system. */
export interface Superblock {
  blockBytes: number;
  blocks: number;
  firstDataBlock: number;
  inodes: number;
  inodesPerGroup: number;
  inodeBytes: number;
  descriptorBytes: number;
  /** Folders say of each name what type it is; without, the length of a name has 16 bits. */
  hasFileTypes: boolean;
  /** What its journal holds is not yet where it belongs. */
  needsRecovery: boolean;
}

/** Where in the file it is, and how much of it is read. */
export const SUPERBLOCK = { offset: 1024, bytes: 1024 };

const MAGIC = 0xef53;
const INCOMPATIBLE = { fileTypes: 0x2, recovery: 0x4, is64Bit: 0x80 };
/** Those above; extents, mmp, flex_bg, ea_inode, csum_seed, large_dir, inline_data, encrypt (each file says it), casefold. */
const READABLE =
  0x2 | 0x4 | 0x40 | 0x80 | 0x100 | 0x200 | 0x400 | 0x2000 | 0x4000 | 0x8000 | 0x10000 | 0x20000;

/** @throws UserError `IMAGE_SOURCE_INVALID` */
export function parseSuperblock(bytes: Buffer): Superblock {
  if (bytes.readUInt16LE(0x38) !== MAGIC) throw unreadable('it is not ext4');
  const incompatible = bytes.readUInt32LE(0x60);
  const unknown = incompatible & ~READABLE;
  if (unknown !== 0)
    throw unreadable(`it has features that are not read (0x${(unknown >>> 0).toString(16)})`);
  const is64Bit = (incompatible & INCOMPATIBLE.is64Bit) !== 0;
  const superblock: Superblock = {
    blockBytes: 1024 * 2 ** Math.min(bytes.readUInt32LE(0x18), 20),
    blocks: bytes.readUInt32LE(0x4) + (is64Bit ? bytes.readUInt32LE(0x150) * 2 ** 32 : 0),
    firstDataBlock: bytes.readUInt32LE(0x14),
    inodes: bytes.readUInt32LE(0x0),
    inodesPerGroup: bytes.readUInt32LE(0x28),
    inodeBytes: bytes.readUInt32LE(0x4c) === 0 ? 128 : bytes.readUInt16LE(0x58),
    descriptorBytes: is64Bit ? bytes.readUInt16LE(0xfe) : 32,
    hasFileTypes: (incompatible & INCOMPATIBLE.fileTypes) !== 0,
    needsRecovery: (incompatible & INCOMPATIBLE.recovery) !== 0,
  };
  if (!isPlausible(superblock)) throw unreadable('its superblock is damaged');
  return superblock;
}

function isPlausible(block: Superblock): boolean {
  return (
    block.blockBytes <= 65_536 &&
    block.blocks > 0 &&
    block.firstDataBlock < block.blocks &&
    block.inodesPerGroup > 0 &&
    isPowerOfTwo(block.inodeBytes) &&
    block.inodeBytes >= 128 &&
    block.inodeBytes <= block.blockBytes &&
    isPowerOfTwo(block.descriptorBytes) &&
    block.descriptorBytes >= 32 &&
    block.descriptorBytes <= block.blockBytes
  );
}

function isPowerOfTwo(value: number): boolean {
  return value > 0 && Number.isInteger(Math.log2(value));
}
