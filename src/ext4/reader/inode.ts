import { unreadable } from './unreadable.ts';

export type InodeKind = 'file' | 'directory' | 'symlink' | 'character' | 'block' | 'fifo' | 'socket';

export interface Inode {
  number: number;
  kind: InodeKind;
  /** Permissions, setuid, setgid and sticky bit. */
  mode: number;
  uid: number;
  gid: number;
  size: number;
  /** Seconds. */
  mtime: number;
  major: number;
  minor: number;
  hasExtents: boolean;
  isInline: boolean;
  /** Where its content is, or the content itself. */
  map: Buffer;
  /** Block with its extended attributes, 0: none. */
  attributeBlock: number;
  /** What of the inode follows the fields, in which there may be extended attributes too. */
  extra: Buffer;
}

const KINDS: Readonly<Record<number, InodeKind>> = {
  0x1: 'fifo',
  0x2: 'character',
  0x4: 'directory',
  0x6: 'block',
  0x8: 'file',
  0xa: 'symlink',
  0xc: 'socket',
};
const FLAGS = { encrypted: 0x800, extents: 0x80000, inline: 0x10000000 };
const OLD_INODE_BYTES = 128;

/** @throws UserError `IMAGE_SOURCE_INVALID` */
export function parseInode(number: number, bytes: Buffer): Inode {
  const type = bytes.readUInt16LE(0);
  const kind = KINDS[type >> 12];
  if (kind === undefined) throw unreadable(`inode ${number} is of no known type`);
  const flags = bytes.readUInt32LE(0x20);
  if ((flags & FLAGS.encrypted) !== 0) throw unreadable(`inode ${number} is encrypted`);
  const extraBytes = bytes.length > OLD_INODE_BYTES ? bytes.readUInt16LE(OLD_INODE_BYTES) : 0;
  const size = bytes.readUInt32LE(0x4) + bytes.readUInt32LE(0x6c) * 2 ** 32;
  if (!Number.isSafeInteger(size)) throw unreadable(`inode ${number} has an impossible size`);
  const isDevice = kind === 'character' || kind === 'block';
  return {
    number,
    kind,
    mode: type & 0o7777,
    uid: bytes.readUInt16LE(0x2) + bytes.readUInt16LE(0x78) * 2 ** 16,
    gid: bytes.readUInt16LE(0x18) + bytes.readUInt16LE(0x7a) * 2 ** 16,
    size,
    mtime: mtimeOf(bytes, extraBytes),
    ...(isDevice ? deviceOf(bytes) : { major: 0, minor: 0 }),
    hasExtents: (flags & FLAGS.extents) !== 0,
    isInline: (flags & FLAGS.inline) !== 0,
    map: bytes.subarray(0x28, 0x64),
    attributeBlock: bytes.readUInt32LE(0x68) + bytes.readUInt16LE(0x76) * 2 ** 32,
    extra: bytes.subarray(OLD_INODE_BYTES + extraBytes),
  };
}

/** Signed seconds since 1970, with two more bits in the larger inodes. */
function mtimeOf(bytes: Buffer, extraBytes: number): number {
  const seconds = bytes.readInt32LE(0x10);
  const hasMore = extraBytes >= 0x8c - OLD_INODE_BYTES && bytes.length >= 0x8c;
  return hasMore ? seconds + (bytes.readUInt32LE(0x88) & 3) * 2 ** 32 : seconds;
}

/** In the place of the first block number in the old encoding, of the second in the new one. */
function deviceOf(bytes: Buffer): { major: number; minor: number } {
  const old = bytes.readUInt32LE(0x28);
  if (old !== 0) return { major: (old >> 8) & 0xff, minor: old & 0xff };
  const device = bytes.readUInt32LE(0x2c);
  return { major: (device >> 8) & 0xfff, minor: (device & 0xff) | ((device >>> 12) & 0xfff00) };
}
