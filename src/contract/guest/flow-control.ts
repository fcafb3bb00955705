import { MalformedError } from './malformed.ts';

/** Bytes that the sender of a stream may send before the first `CREDIT`. */
export const INITIAL_CREDIT_BYTES = 262_144;

/** Payload of one `DATA` frame: with header and trailer one write of the guest's virtio-console driver. */
export const MAX_DATA_BYTES = 32_752;

/** A receiver grants in portions of at least this, so that small reads do not cost a frame each. */
export const CREDIT_PORTION_BYTES = INITIAL_CREDIT_BYTES / 4;

/** More credit than this at once is nonsense: no receiver has such a buffer. */
export const MAX_CREDIT_BYTES = 0x7fff_ffff;

/** Stream numbers. 0 flows towards the guest, the others from it. */
export const GuestStream = { INPUT: 0, OUTPUT: 1, ERRORS: 2 } as const;
export type GuestStream = (typeof GuestStream)[keyof typeof GuestStream];

export function encodeCredit(bytes: number): Uint8Array {
  return encodeU32(bytes);
}

export function decodeCredit(payload: Uint8Array): number {
  const bytes = decodeU32(payload, 'CREDIT');
  if (bytes > MAX_CREDIT_BYTES) throw new MalformedError(`CREDIT of ${bytes} bytes`);
  return bytes;
}

/** Payload of `SIGNAL`. */
export function encodeSignal(signal: number): Uint8Array {
  return encodeU32(signal);
}

export function decodeSignal(payload: Uint8Array): number {
  return decodeU32(payload, 'SIGNAL');
}

export interface TerminalSize {
  rows: number;
  columns: number;
}

/** Payload of `RESIZE`. */
export function encodeResize(size: TerminalSize): Uint8Array {
  const payload = new Uint8Array(4);
  const view = new DataView(payload.buffer);
  view.setUint16(0, size.rows, true);
  view.setUint16(2, size.columns, true);
  return payload;
}

export function decodeResize(payload: Uint8Array): TerminalSize {
  const packed = decodeU32(payload, 'RESIZE');
  return { rows: packed & 0xffff, columns: packed >>> 16 };
}

function encodeU32(value: number): Uint8Array {
  const payload = new Uint8Array(4);
  new DataView(payload.buffer).setUint32(0, value, true);
  return payload;
}

function decodeU32(payload: Uint8Array, frame: string): number {
  if (payload.length !== 4) throw new MalformedError(`${frame} with ${payload.length} bytes`);
  return new DataView(payload.buffer, payload.byteOffset, 4).getUint32(0, true);
}
