import { crc32c } from './crc32c.ts';
import { FILE_TYPE } from './inode.ts';

export interface DirectoryEntry {
  /** Bytes, one in each character. */
  name: string;
  inode: number;
  /** The bits of a mode that say what it is. */
  type: number;
}

const HEAD = 8;
const TAIL = 12;
const TAIL_TYPE = 0xde;
const CODES = new Map<number, number>([
  [FILE_TYPE.file, 1],
  [FILE_TYPE.directory, 2],
  [FILE_TYPE.character, 3],
  [FILE_TYPE.block, 4],
  [FILE_TYPE.fifo, 5],
  [FILE_TYPE.symlink, 7],
]);

/** How many blocks the names of a folder take, `.` and `..` included. */
export function countDirectoryBlocks(names: Iterable<string>, blockBytes: number): number {
  const room = blockBytes - TAIL;
  let blocks = 1;
  let used = 2 * recordBytes('..');
  for (const name of names) {
    const needed = recordBytes(name);
    if (used + needed > room) {
      blocks += 1;
      used = 0;
    }
    used += needed;
  }
  return blocks;
}

/** The blocks of a folder, one after the other; `seed` is its inode's. */
export function directoryBlocks(
  entries: Iterable<DirectoryEntry>,
  { blocks, blockBytes, seed }: { blocks: number; blockBytes: number; seed: number },
): Buffer {
  const bytes = Buffer.alloc(blocks * blockBytes);
  const room = blockBytes - TAIL;
  let start = 0;
  let used = 0;
  let last = 0;
  for (const entry of entries) {
    const needed = recordBytes(entry.name);
    if (used + needed > room) {
      bytes.writeUInt16LE(start + room - last, last + 4);
      start += blockBytes;
      used = 0;
    }
    last = start + used;
    writeEntry(bytes, last, entry);
    used += needed;
  }
  bytes.writeUInt16LE(start + room - last, last + 4);
  // What is left of them is empty: one unused entry fills a block.
  for (let empty = start + blockBytes; empty < bytes.length; empty += blockBytes) {
    bytes.writeUInt16LE(room, empty + 4);
  }
  for (let block = 0; block < bytes.length; block += blockBytes) signBlock(bytes, block, { room, seed });
  return bytes;
}

function recordBytes(name: string): number {
  return Math.ceil((HEAD + name.length) / 4) * 4;
}

function writeEntry(bytes: Buffer, at: number, { name, inode, type }: DirectoryEntry): void {
  bytes.writeUInt32LE(inode, at);
  bytes.writeUInt16LE(recordBytes(name), at + 4);
  bytes.writeUInt8(name.length, at + 6);
  bytes.writeUInt8(CODES.get(type) ?? 0, at + 7);
  bytes.write(name, at + HEAD, 'latin1');
}

/** The checksum stands in what looks like an unused entry. */
function signBlock(bytes: Buffer, block: number, { room, seed }: { room: number; seed: number }): void {
  const tail = block + room;
  bytes.writeUInt16LE(TAIL, tail + 4);
  bytes.writeUInt8(TAIL_TYPE, tail + 7);
  bytes.writeUInt32LE(crc32c(seed, bytes.subarray(block, tail)), tail + 8);
}
