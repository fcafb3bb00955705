import { open, type FileHandle } from 'node:fs/promises';

/** An extended attribute that a tar gives one of its members. */
export interface TarAttribute {
  /** Bytes, one in each character. */
  path: string;
  /** `security.capability` */
  name: string;
  value: Uint8Array;
}

const BLOCK = 512;
const MAX_EXTENSION_BYTES = 2 ** 20;
const ATTRIBUTE_KEY = 'SCHILY.xattr.';

interface Pending {
  path: string | undefined;
  size: number | undefined;
  attributes: { name: string; value: Uint8Array }[];
}

const nothingPending = (): Pending => ({ path: undefined, size: undefined, attributes: [] });

/** The extended attributes in a tar (pax records as GNU tar and libarchive write them); contents are skipped. */
export async function readTarAttributes(tarPath: string): Promise<TarAttribute[]> {
  const file = await open(tarPath, 'r');
  try {
    return await collect(file);
  } finally {
    await file.close();
  }
}

async function collect(file: FileHandle): Promise<TarAttribute[]> {
  const found: TarAttribute[] = [];
  let pending = nothingPending();
  for (let offset = 0; ;) {
    const header = await readExactly(file, offset, BLOCK);
    if (header.every((byte) => byte === 0)) return found;
    const type = String.fromCharCode(header[156] ?? 0);
    const isExtension = 'xgLK'.includes(type);
    const size = isExtension ? sizeOf(header) : (pending.size ?? sizeOf(header));
    if (isExtension) {
      const payload = await readExtension(file, offset + BLOCK, size);
      if (type === 'x') readPaxRecords(payload, pending);
      if (type === 'L') pending.path = text(payload);
    } else {
      const path = pending.path ?? pathOf(header);
      found.push(...pending.attributes.map((attribute) => ({ path, ...attribute })));
      pending = nothingPending();
    }
    offset += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
}

function readPaxRecords(payload: Uint8Array, pending: Pending): void {
  for (let offset = 0; offset < payload.length;) {
    const space = payload.indexOf(0x20, offset);
    const length = Number(text(payload.subarray(offset, space)));
    if (space < 0 || !Number.isSafeInteger(length) || length < 5 || offset + length > payload.length) {
      throw new Error('the tar has a damaged pax record');
    }
    const record = payload.subarray(space + 1, offset + length - 1);
    const equals = record.indexOf(0x3d);
    const key = text(record.subarray(0, equals));
    const value = record.subarray(equals + 1);
    if (key === 'path') pending.path = text(value);
    if (key === 'size') pending.size = Number(text(value));
    if (key.startsWith(ATTRIBUTE_KEY))
      pending.attributes.push({ name: key.slice(ATTRIBUTE_KEY.length), value });
    offset += length;
  }
}

async function readExtension(file: FileHandle, offset: number, size: number): Promise<Uint8Array> {
  if (size > MAX_EXTENSION_BYTES) throw new Error(`the tar has an extension header of ${size} bytes`);
  return readExactly(file, offset, size);
}

async function readExactly(file: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const buffer = new Uint8Array(length);
  const { bytesRead } = await file.read(buffer, 0, length, offset);
  if (bytesRead !== length) throw new Error('the tar ends too early');
  return buffer;
}

function pathOf(header: Uint8Array): string {
  const isUstar = text(header.subarray(257, 263)) === 'ustar';
  const prefix = isUstar ? text(header.subarray(345, 500)) : '';
  const name = text(header.subarray(0, 100));
  return prefix === '' ? name : `${prefix}/${name}`;
}

/** Octal digits, or big-endian binary with the top bit set (GNU tar, for what does not fit). */
function sizeOf(header: Uint8Array): number {
  const field = header.subarray(124, 136);
  const [first = 0, ...rest] = field;
  const size = first & 0x80 ? rest.reduce((sum, byte) => sum * 256 + byte, 0) : octal(field);
  if (!Number.isSafeInteger(size)) throw new Error('the tar has a member without a size');
  return size;
}

function octal(field: Uint8Array): number {
  return Number.parseInt(text(field).trim() || '0', 8);
}

function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString('latin1');
}
