import { isUtf8 } from 'node:buffer';
import { paxRecord, type Xattr } from './pax-records.ts';
import { checksumOf, paddedSizeOf, TAR_BLOCK } from './tar-header.ts';

/** A member to be written. Names are bytes, one in each character. */
export interface NewMember {
  name: string;
  type: '0' | '1' | '2' | '3' | '4' | '5' | '6';
  mode: number;
  uid: number;
  gid: number;
  mtime: number;
  size: number;
  linkTarget: string;
  major: number;
  minor: number;
  xattrs: readonly Xattr[];
}

/** Of a tar's member, by what it is. */
export const MEMBER_TYPES = {
  file: '0',
  symlink: '2',
  character: '3',
  block: '4',
  directory: '5',
  fifo: '6',
} as const;

const MAX_NAME = 100;
const MAX_OCTAL_7 = 8 ** 7 - 1;
const MAX_OCTAL_11 = 8 ** 11 - 1;

/** The header blocks of a member: a ustar header, and a pax header before it where something does not fit in. */
export function tarHeader(member: NewMember): Buffer {
  const records = paxRecordsOf(member);
  if (records.length === 0) return ustarBlock(member);
  const payload = Buffer.concat(records);
  const extension = ustarBlock({
    ...{ ...member, name: 'PaxHeader', type: 'x', size: payload.length },
    ...{ linkTarget: '', uid: 0, gid: 0, mtime: 0 },
  });
  const padding = Buffer.alloc(paddedSizeOf(payload.length) - payload.length);
  return Buffer.concat([extension, payload, padding, ustarBlock(member)]);
}

/** Ends a tar. */
export const tarEnd = (): Buffer => Buffer.alloc(2 * TAR_BLOCK);

function paxRecordsOf(member: NewMember): Buffer[] {
  const { name, linkTarget } = member;
  const isLong = name.length > MAX_NAME || linkTarget.length > MAX_NAME;
  const records = numbersThatDoNotFit(member).map(([key, value]) => paxRecord(key, String(value)));
  // Without it libarchive takes names for UTF-8.
  if (isLong && !isUtf8(Buffer.from(name + linkTarget, 'latin1'))) {
    records.push(paxRecord('hdrcharset', 'BINARY'));
  }
  if (name.length > MAX_NAME) records.push(paxRecord('path', name));
  if (linkTarget.length > MAX_NAME) records.push(paxRecord('linkpath', linkTarget));
  return [
    ...records,
    ...member.xattrs.map(({ name: key, value }) => paxRecord(`SCHILY.xattr.${key}`, value)),
  ];
}

function numbersThatDoNotFit({ uid, gid, size, mtime }: NewMember): [string, number][] {
  const found: [string, number][] = [];
  if (uid > MAX_OCTAL_7) found.push(['uid', uid]);
  if (gid > MAX_OCTAL_7) found.push(['gid', gid]);
  if (size > MAX_OCTAL_11) found.push(['size', size]);
  if (mtime < 0 || mtime > MAX_OCTAL_11) found.push(['mtime', mtime]);
  return found;
}

function ustarBlock(member: Omit<NewMember, 'type'> & { type: string }): Buffer {
  const block = Buffer.alloc(TAR_BLOCK);
  block.write(member.name.slice(0, MAX_NAME), 0, 'latin1');
  writeOctal(block, { at: 100, digits: 7 }, member.mode);
  writeOctal(block, { at: 108, digits: 7 }, fitting(member.uid, MAX_OCTAL_7));
  writeOctal(block, { at: 116, digits: 7 }, fitting(member.gid, MAX_OCTAL_7));
  writeOctal(block, { at: 124, digits: 11 }, fitting(member.size, MAX_OCTAL_11));
  writeOctal(block, { at: 136, digits: 11 }, fitting(member.mtime, MAX_OCTAL_11));
  block.write(member.type, 156, 'latin1');
  block.write(member.linkTarget.slice(0, MAX_NAME), 157, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  writeOctal(block, { at: 329, digits: 7 }, member.major);
  writeOctal(block, { at: 337, digits: 7 }, member.minor);
  block.write(`${checksumOf(block).toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

/** What stands in a pax record is nothing here. */
const fitting = (value: number, most: number) => (value < 0 || value > most ? 0 : value);

function writeOctal(block: Buffer, { at, digits }: { at: number; digits: number }, value: number): void {
  block.write(value.toString(8).padStart(digits, '0'), at, 'latin1');
}
