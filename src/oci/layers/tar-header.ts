import { LayerFault } from './layer-fault.ts';

export const TAR_BLOCK = 512;

/** One header block. Names and link targets are bytes, one in each character. */
export interface TarHeader {
  name: string;
  linkTarget: string;
  type: string;
  mode: number;
  uid: number;
  gid: number;
  size: number;
  /** Seconds. */
  mtime: number;
  major: number;
  minor: number;
}

const CHECKSUM = { start: 148, end: 156 };
const SPACE = 0x20;
const ZERO = 0x30;

/** What a content or an extended header of this size takes in a tar. */
export function paddedSizeOf(size: number): number {
  return Math.ceil(size / TAR_BLOCK) * TAR_BLOCK;
}

/** Text up to the first NUL, one character for each byte. */
function bytesText(field: Buffer): string {
  const end = field.indexOf(0);
  return field.toString('latin1', 0, end < 0 ? field.length : end);
}

/** @throws LayerFault when the block is not a header */
export function parseTarHeader(block: Buffer): TarHeader {
  if (checksumOf(block) !== numberAt(block, CHECKSUM.start, CHECKSUM.end)) {
    throw new LayerFault('a header of the tar is damaged (its checksum differs)');
  }
  const isUstar = block.toString('latin1', 257, 263) === 'ustar\0';
  const prefix = isUstar ? bytesText(block.subarray(345, 500)) : '';
  const name = bytesText(block.subarray(0, 100));
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    linkTarget: bytesText(block.subarray(157, 257)),
    type: String.fromCharCode(block[156] ?? 0),
    mode: numberAt(block, 100, 108),
    uid: numberAt(block, 108, 116),
    gid: numberAt(block, 116, 124),
    size: numberAt(block, 124, 136),
    mtime: numberAt(block, 136, 148),
    major: numberAt(block, 329, 337),
    minor: numberAt(block, 337, 345),
  };
}

/** Of all bytes, with spaces where it stands itself. */
export function checksumOf(block: Buffer): number {
  let sum = (CHECKSUM.end - CHECKSUM.start) * SPACE;
  for (let index = 0; index < CHECKSUM.start; index += 1) sum += block[index] ?? 0;
  for (let index = CHECKSUM.end; index < TAR_BLOCK; index += 1) sum += block[index] ?? 0;
  return sum;
}

/** Octal digits, or a big-endian number with the top bit set (GNU tar, for what does not fit). */
function numberAt(block: Buffer, start: number, end: number): number {
  if ((block[start] ?? 0) >= 0x80) return binaryNumber(block.subarray(start, end));
  // Byte by byte: a million members have seven numbers each, and a pattern takes five times as long.
  let at = start;
  while (at < end && block[at] === SPACE) at += 1;
  let value = 0;
  for (let byte = block[at] ?? 0; at < end && byte >= ZERO && byte < ZERO + 8; byte = block[at] ?? 0) {
    value = value * 8 + byte - ZERO;
    at += 1;
  }
  for (; at < end; at += 1) {
    if (block[at] === SPACE || block[at] === 0) continue;
    throw new LayerFault('a header of the tar has a field that is no number');
  }
  return value;
}

function binaryNumber(field: Buffer): number {
  const isNegative = field[0] === 0xff;
  let value = isNegative ? -1n : BigInt((field[0] ?? 0) & 0x7f);
  for (const byte of field.subarray(1)) value = value * 256n + BigInt(byte);
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new LayerFault('a header of the tar has a number that is too big');
  return number;
}
