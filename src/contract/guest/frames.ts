/**
 * Frames of the guest protocol (docs/guest-protocol.md). Both ends of the guest link and both ends of the exec API speak them,
 * so this is pure: bytes in, bytes out.
 */
export const HEADER_BYTES = 12;
export const TRAILER_BYTES = 4;
export const MAX_PAYLOAD_BYTES = 65_536;

/** As the little-endian number that a DataView reads: `BA 6E`. */
export const MAGIC = 0x6eba;
/** As the little-endian number that a DataView reads: `BNGR`. */
export const TRAILER = 0x52474e42;

export const CONTROL_CHANNEL = 0;

export const FrameType = {
  HELLO: 1,
  HELLO_OK: 2,
  PING: 3,
  PONG: 4,
  OPEN: 16,
  OPENED: 17,
  DATA: 18,
  EOF: 19,
  CREDIT: 20,
  RESIZE: 21,
  SIGNAL: 22,
  RESULT: 23,
  ERROR: 24,
  CLOSE: 25,
  LOST: 26,
} as const;
export type FrameType = (typeof FrameType)[keyof typeof FrameType];

const NAMES = new Map<number, string>(Object.entries(FrameType).map(([name, type]) => [type, name]));

export function isFrameType(value: number): value is FrameType {
  return NAMES.has(value);
}

export function frameTypeName(type: number): string {
  return NAMES.get(type) ?? `type ${type}`;
}

export interface Frame {
  type: FrameType;
  /** Stream number of `DATA`, `EOF` and `CREDIT`; 0 elsewhere. */
  stream: number;
  channel: number;
  payload: Uint8Array;
}

/** What a sender gives: stream 0 and an empty payload where left out. */
export interface OutgoingFrame {
  type: FrameType;
  channel: number;
  stream?: number;
  payload?: Uint8Array;
}

/** Up to here one copy into one buffer costs less than three entries of a vectored write. */
const JOINED_PAYLOAD_BYTES = 4096;

const EMPTY = new Uint8Array(0);
const TRAILER_PART = bytesOfTrailer();

/**
 * The bytes of a frame as parts to write one after the other. A large payload is a part of its own, not a copy:
 * it must stay unchanged until it is written.
 */
export function encodeFrame(frame: OutgoingFrame): Uint8Array[] {
  const payload = frame.payload ?? EMPTY;
  if (payload.length > MAX_PAYLOAD_BYTES) {
    throw new RangeError(`A payload of ${payload.length} bytes does not fit into a frame`);
  }
  if (payload.length > JOINED_PAYLOAD_BYTES) {
    const header = new Uint8Array(HEADER_BYTES);
    writeHeader(header, frame, payload.length);
    return [header, payload, TRAILER_PART];
  }
  const whole = new Uint8Array(HEADER_BYTES + payload.length + TRAILER_BYTES);
  writeHeader(whole, frame, payload.length);
  whole.set(payload, HEADER_BYTES);
  whole.set(TRAILER_PART, HEADER_BYTES + payload.length);
  return [whole];
}

function writeHeader(into: Uint8Array, frame: OutgoingFrame, length: number): void {
  const view = new DataView(into.buffer, into.byteOffset, HEADER_BYTES);
  view.setUint16(0, MAGIC, true);
  view.setUint8(2, frame.type);
  view.setUint8(3, frame.stream ?? 0);
  view.setUint32(4, frame.channel, true);
  view.setUint32(8, length, true);
}

function bytesOfTrailer(): Uint8Array {
  const bytes = new Uint8Array(TRAILER_BYTES);
  new DataView(bytes.buffer).setUint32(0, TRAILER, true);
  return bytes;
}
