import { unreadable } from './unreadable.ts';

/** An extended attribute as it stands on the disk. */
export interface AttributeEntry {
  /** `security.capability` */
  name: string;
  size: number;
  /** Of the value: where it is in the place that the entries are in, or the inode whose content it is. */
  value: { offset: number } | { inode: number };
}

const ENTRY_BYTES = 16;
const PREFIXES: Readonly<Record<number, string>> = {
  1: 'user.',
  2: 'system.posix_acl_access',
  3: 'system.posix_acl_default',
  4: 'trusted.',
  6: 'security.',
  7: 'system.',
  8: 'system.richacl',
};
const MAX_VALUE_BYTES = 65_536;

/**
 * The entries that begin at `start`, up to their end.
 *
 * @throws UserError `IMAGE_SOURCE_INVALID`
 */
export function parseAttributeEntries(bytes: Buffer, start: number): AttributeEntry[] {
  const entries: AttributeEntry[] = [];
  for (let at = start; at + 4 <= bytes.length && bytes.readUInt32LE(at) !== 0;) {
    const nameBytes = bytes.readUInt8(at);
    if (at + ENTRY_BYTES + nameBytes > bytes.length) throw damaged();
    const prefix = PREFIXES[bytes.readUInt8(at + 1)];
    const name = bytes.toString('latin1', at + ENTRY_BYTES, at + ENTRY_BYTES + nameBytes);
    const inode = bytes.readUInt32LE(at + 4);
    const size = bytes.readUInt32LE(at + 8);
    if (prefix === undefined || size > MAX_VALUE_BYTES || /[\n\0]/.test(name)) throw damaged();
    const value = inode === 0 ? { offset: bytes.readUInt16LE(at + 2) } : { inode };
    entries.push({ name: `${prefix}${name}`, size, value });
    at += Math.ceil((ENTRY_BYTES + nameBytes) / 4) * 4;
  }
  return entries;
}

/** @throws UserError `IMAGE_SOURCE_INVALID` */
export function valueAt(bytes: Buffer, offset: number, size: number): Buffer {
  if (offset + size > bytes.length) throw damaged();
  return bytes.subarray(offset, offset + size);
}

function damaged() {
  return unreadable('the extended attributes of a file are damaged');
}
