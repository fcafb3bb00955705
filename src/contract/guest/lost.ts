import { saturate } from './fields.ts';
import { MalformedError } from './malformed.ts';

/** `LOST`: so many bytes of the output were forgotten before this viewer took them. */
export function encodeLost(bytes: number): Uint8Array {
  const payload = new Uint8Array(8);
  new DataView(payload.buffer).setBigUint64(0, BigInt(bytes), true);
  return payload;
}

/** @throws MalformedError */
export function decodeLost(payload: Uint8Array): number {
  if (payload.length !== 8) throw new MalformedError(`LOST of ${payload.length} bytes`);
  return saturate(new DataView(payload.buffer, payload.byteOffset, 8).getBigUint64(0, true));
}
