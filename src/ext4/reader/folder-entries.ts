import { unreadable } from './unreadable.ts';

export interface FolderEntry {
  /** Bytes, one in each character. */
  name: string;
  inode: number;
}

const HEADER_BYTES = 8;
/** A record that fills a block of 64 KiB: its length has 16 bits. */
const WHOLE_BLOCK = [0, 65_535];

/**
 * The names in one block of a folder, `.` and `..` left out. Those of a hashed folder stand as in any other; its index looks like a
 * record without an inode.
 *
 * @throws UserError `IMAGE_SOURCE_INVALID`
 */
export function parseFolderBlock(block: Buffer, hasFileTypes: boolean): FolderEntry[] {
  const entries: FolderEntry[] = [];
  for (let at = 0; at + HEADER_BYTES <= block.length;) {
    const inode = block.readUInt32LE(at);
    const length = recordLength(block, at);
    const nameBytes = hasFileTypes ? block.readUInt8(at + 6) : block.readUInt16LE(at + 6);
    const isSound = length >= HEADER_BYTES && length % 4 === 0 && at + length <= block.length;
    if (!isSound || nameBytes + HEADER_BYTES > length) throw unreadable('a folder is damaged');
    const name = block.toString('latin1', at + HEADER_BYTES, at + HEADER_BYTES + nameBytes);
    if (inode !== 0 && !isItself(name)) entries.push({ name: checked(name), inode });
    at += length;
  }
  return entries;
}

function recordLength(block: Buffer, at: number): number {
  const length = block.readUInt16LE(at + 4);
  return block.length === 65_536 && WHOLE_BLOCK.includes(length) ? block.length : length;
}

const isItself = (name: string) => name === '.' || name === '..';

/** No kernel makes such names. */
function checked(name: string): string {
  if (name === '' || /[/\0]/.test(name))
    throw unreadable(`it has a file name that cannot be (${JSON.stringify(name)})`);
  return name;
}
