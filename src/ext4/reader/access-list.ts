import { unreadable } from './unreadable.ts';

/** As ext4 keeps POSIX access lists, without the ids that have none; as programs are given them. */
const [DISK_VERSION, PROGRAM_VERSION] = [1, 2];
const [NAMED_USER, NAMED_GROUP] = [0x02, 0x08];
const NO_ID = 0xffffffff;

/** @throws UserError `IMAGE_SOURCE_INVALID` */
export function accessListFromDisk(disk: Buffer): Buffer {
  if (disk.length < 4 || disk.readUInt32LE(0) !== DISK_VERSION) throw unreadable('an access list is damaged');
  const parts = [version()];
  for (let at = 4; at < disk.length;) {
    const isNamed = at + 4 <= disk.length && [NAMED_USER, NAMED_GROUP].includes(disk.readUInt16LE(at));
    const length = isNamed ? 8 : 4;
    if (at + length > disk.length) throw unreadable('an access list is damaged');
    const entry = Buffer.alloc(8);
    disk.copy(entry, 0, at, at + length);
    if (!isNamed) entry.writeUInt32LE(NO_ID, 4);
    parts.push(entry);
    at += length;
  }
  return Buffer.concat(parts);
}

function version(): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(PROGRAM_VERSION);
  return bytes;
}
