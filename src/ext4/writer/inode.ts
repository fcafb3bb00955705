import { crc32c, crc32cOfNumber } from './crc32c.ts';
import type { Superblock } from './superblock.ts';

export const ROOT_INODE = 2;
export const FILE_TYPE = {
  fifo: 0o010000,
  character: 0o020000,
  directory: 0o040000,
  block: 0o060000,
  file: 0o100000,
  symlink: 0o120000,
} as const;
export const EXTENTS_FLAG = 0x80000;
/** Symlinks with shorter targets hold them in the inode. */
export const INLINE_TARGET_BYTES = 60;
const EXTRA_BYTES = 32;

export interface InodeFields {
  /** Type and permissions. */
  mode: number;
  uid: number;
  gid: number;
  size: number;
  links: number;
  /** Seconds. */
  mtime: number;
  /** Of 512 bytes, as it counts them. */
  sectors: number;
  flags: number;
  /** 60 bytes: extents, the target of a symlink, or a device's numbers. */
  map: Buffer;
}

/** What the checksums of an inode and of its own blocks begin with. */
export function inodeSeed(number: number, { checksumSeed }: Superblock): number {
  return crc32cOfNumber(crc32cOfNumber(checksumSeed, number), 0); // its generation is 0
}

/** Writes an inode into zeroes, with its checksum. */
export function writeInode(bytes: Buffer, fields: InodeFields, seed: number): void {
  bytes.writeUInt16LE(fields.mode, 0x0);
  bytes.writeUInt16LE(fields.uid & 0xffff, 0x2);
  bytes.writeUInt16LE(fields.uid >>> 16, 0x78);
  bytes.writeUInt16LE(fields.gid & 0xffff, 0x18);
  bytes.writeUInt16LE(fields.gid >>> 16, 0x7a);
  bytes.writeUInt32LE(fields.size % 2 ** 32, 0x4);
  bytes.writeUInt32LE(Math.floor(fields.size / 2 ** 32), 0x6c);
  bytes.writeUInt16LE(fields.links, 0x1a);
  bytes.writeUInt32LE(fields.sectors % 2 ** 32, 0x1c);
  bytes.writeUInt16LE(Math.floor(fields.sectors / 2 ** 32), 0x74);
  bytes.writeUInt32LE(fields.flags, 0x20);
  fields.map.copy(bytes, 0x28);
  bytes.writeUInt16LE(EXTRA_BYTES, 0x80);
  writeTimes(bytes, fields.mtime);
  const checksum = crc32c(seed, bytes);
  bytes.writeUInt16LE(checksum & 0xffff, 0x7c);
  bytes.writeUInt16LE(checksum >>> 16, 0x82);
}

/** One time for all: when an image was made says nothing about its files. */
function writeTimes(bytes: Buffer, seconds: number): void {
  const low = seconds | 0;
  const epoch = ((seconds - low) / 2 ** 32) & 3;
  for (const [at, extraAt] of [
    [0x8, 0x8c], // read
    [0xc, 0x84], // changed
    [0x10, 0x88], // written
    [0x90, 0x94], // made
  ] as const) {
    bytes.writeInt32LE(low, at);
    bytes.writeUInt32LE(epoch, extraAt);
  }
}

/** Where the kernel looks for a device's numbers: the first word as long as they fit into the old form. */
export function deviceMap({ major, minor }: { major: number; minor: number }): Buffer {
  const map = Buffer.alloc(60);
  if (major < 256 && minor < 256) map.writeUInt32LE(major * 256 + minor, 0);
  else map.writeUInt32LE(((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0, 4);
  return map;
}
