import { CRC_START, crc32c } from './crc32c.ts';

export const SUPERBLOCK_OFFSET = 1024;
export const SUPERBLOCK_BYTES = 1024;
const CHECKSUM_AT = 0x3fc;

/** Where everything is in an ext4 file system of 4 KiB blocks. */
export interface Superblock {
  bytes: Buffer;
  blockBytes: number;
  blocks: number;
  inodes: number;
  blocksPerGroup: number;
  inodesPerGroup: number;
  inodeBytes: number;
  firstInode: number;
  descriptorBytes: number;
  reservedDescriptorBlocks: number;
  groups: number;
  /** What the checksums of its metadata begin with. */
  checksumSeed: number;
}

/** Of a file system with the features that `mke2fs-arguments.ts` asks for. */
export function parseSuperblock(bytes: Buffer): Superblock {
  const blocks = bytes.readUInt32LE(0x4) + bytes.readUInt32LE(0x150) * 2 ** 32;
  const blocksPerGroup = bytes.readUInt32LE(0x20);
  return {
    ...{ bytes, blocks, blocksPerGroup },
    blockBytes: 1024 * 2 ** bytes.readUInt32LE(0x18),
    inodes: bytes.readUInt32LE(0x0),
    inodesPerGroup: bytes.readUInt32LE(0x28),
    inodeBytes: bytes.readUInt16LE(0x58),
    firstInode: bytes.readUInt32LE(0x54),
    descriptorBytes: bytes.readUInt16LE(0xfe),
    reservedDescriptorBlocks: bytes.readUInt16LE(0xce),
    groups: Math.ceil(blocks / blocksPerGroup),
    checksumSeed: crc32c(CRC_START, bytes.subarray(0x68, 0x78)), // of its UUID
  };
}

/** The superblock with these numbers of what is free. */
export function updatedSuperblock({ bytes }: Superblock, free: { blocks: number; inodes: number }): Buffer {
  const updated = Buffer.from(bytes);
  updated.writeUInt32LE(free.blocks % 2 ** 32, 0xc);
  updated.writeUInt32LE(Math.floor(free.blocks / 2 ** 32), 0x158);
  updated.writeUInt32LE(free.inodes, 0x10);
  updated.writeUInt32LE(crc32c(CRC_START, updated.subarray(0, CHECKSUM_AT)), CHECKSUM_AT);
  return updated;
}

export function freeBlocksOf({ bytes }: Superblock): number {
  return bytes.readUInt32LE(0xc) + bytes.readUInt32LE(0x158) * 2 ** 32;
}
