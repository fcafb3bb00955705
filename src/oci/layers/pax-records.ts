import { LayerFault } from './layer-fault.ts';
import { MAX_ATTRIBUTES } from './layer-limits.ts';

/** An extended attribute. The name is bytes, one in each character. */
export interface Xattr {
  name: string;
  value: Buffer;
}

/** What the extended headers before a member say instead of its own header. */
export interface PaxValues {
  path?: string;
  linkpath?: string;
  size?: number;
  uid?: number;
  gid?: number;
  mtime?: number;
  /** By name. */
  xattrs?: Map<string, Xattr>;
}

const XATTR_KEY = 'SCHILY.xattr.';
const SPARSE_KEY = 'GNU.sparse.';
const INTEGER = /^\d{1,16}$/;
const TIME = /^-?\d{1,15}(?:\.\d*)?$/;

/** Takes the records of a pax header (type `x`) into `values`; a later record replaces an earlier one. @throws LayerFault */
export function readPaxRecords(payload: Buffer, values: PaxValues): void {
  for (let offset = 0; offset < payload.length;) {
    const space = payload.indexOf(0x20, offset);
    const digits = space < 0 ? '' : payload.toString('latin1', offset, space);
    const length = INTEGER.test(digits) ? Number(digits) : 0;
    const end = offset + length;
    const equals = payload.indexOf(0x3d, space);
    if (length === 0 || end > payload.length || payload[end - 1] !== 0x0a || equals < 0 || equals >= end) {
      throw new LayerFault('the tar has a damaged pax record');
    }
    takeRecord(payload.toString('latin1', space + 1, equals), payload.subarray(equals + 1, end - 1), values);
    offset = end;
  }
}

function takeRecord(key: string, value: Buffer, values: PaxValues): void {
  if (key.startsWith(SPARSE_KEY)) throw new LayerFault('the tar has a sparse member, which is not supported');
  if (key.startsWith(XATTR_KEY)) takeXattr(key.slice(XATTR_KEY.length), value, values);
  else if (key === 'path' || key === 'linkpath') values[key] = value.toString('latin1');
  else if (key === 'size' || key === 'uid' || key === 'gid') values[key] = integer(value);
  else if (key === 'mtime') values.mtime = seconds(value);
}

function takeXattr(name: string, value: Buffer, values: PaxValues): void {
  values.xattrs ??= new Map();
  // A copy: the buffer it stands in is the whole chunk that was read.
  values.xattrs.set(name, { name, value: Buffer.from(value) });
  if (values.xattrs.size <= MAX_ATTRIBUTES) return;
  throw new LayerFault(`the tar has a member with more than ${MAX_ATTRIBUTES} attributes`, 'IMAGE_TOO_LARGE');
}

function integer(value: Buffer): number {
  const text = value.toString('latin1');
  const number = Number(text);
  if (!INTEGER.test(text) || !Number.isSafeInteger(number)) {
    throw new LayerFault('the tar has a pax record that is no number');
  }
  return number;
}

/** Whole seconds, rounded down, as the system does. */
function seconds(value: Buffer): number {
  const text = value.toString('latin1');
  if (!TIME.test(text)) throw new LayerFault('the tar has a pax record that is no time');
  return Math.floor(Number(text));
}

/** `LENGTH KEY=VALUE\n`, where the length counts its own digits. */
export function paxRecord(key: string, value: string | Buffer): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'latin1') : value;
  const body = Buffer.concat([Buffer.from(` ${key}=`, 'latin1'), bytes, Buffer.from('\n')]);
  let length = body.length + 1;
  while (String(length).length + body.length !== length) length += 1;
  return Buffer.concat([Buffer.from(String(length)), body]);
}
