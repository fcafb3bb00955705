import { isFrameType, HEADER_BYTES, MAGIC, MAX_PAYLOAD_BYTES, TRAILER, TRAILER_BYTES } from './frames.ts';
import type { Frame } from './frames.ts';
import { MalformedError } from './malformed.ts';

export interface FrameDecoderOptions {
  /** Guest's end: a frame that goes over into zero bytes was cut off by a new host and is dropped. */
  dropCutFrames?: boolean;
}

/**
 * Turns chunks of any size into frames. Keeps at most one unfinished frame; a length is checked before memory is taken for it.
 *
 * The payload of a frame that lies inside one chunk is a view of that chunk, otherwise a copy.
 */
export class FrameDecoder {
  readonly #dropCutFrames: boolean;
  readonly #header = new Uint8Array(HEADER_BYTES);
  readonly #headerView = new DataView(this.#header.buffer);
  #headerFilled = 0;
  /** Payload and trailer of the frame that began in an earlier chunk. */
  #rest: Uint8Array | undefined;
  #restFilled = 0;

  constructor(options: FrameDecoderOptions = {}) {
    this.#dropCutFrames = options.dropCutFrames ?? false;
  }

  /** True between two frames: nothing is kept. */
  get atBoundary(): boolean {
    return this.#headerFilled === 0;
  }

  /**
   * Calls `onFrame` for each frame that `chunk` completes.
   *
   * @throws MalformedError at the first byte that cannot be part of the protocol; the decoder is of no use afterwards
   */
  push(chunk: Uint8Array, onFrame: (frame: Frame) => void): void {
    let offset = 0;
    while (offset < chunk.length) {
      if (this.#rest !== undefined) {
        offset = this.#continueRest(this.#rest, chunk.subarray(offset), onFrame) + offset;
      } else if (this.#headerFilled === 0 && chunk[offset] === 0) {
        offset = skipZeros(chunk, offset);
      } else {
        offset = this.#readHeader(chunk, offset);
        if (this.#headerFilled === HEADER_BYTES) offset = this.#beginRest(chunk, offset, onFrame);
      }
    }
  }

  #readHeader(chunk: Uint8Array, offset: number): number {
    const taken = Math.min(HEADER_BYTES - this.#headerFilled, chunk.length - offset);
    for (let index = 0; index < taken; index += 1) {
      this.#header[this.#headerFilled + index] = chunk[offset + index] as number;
    }
    this.#headerFilled += taken;
    if (this.#dropCutFrames && this.#isCutHeader()) this.#headerFilled = 0;
    else this.#checkHeader();
    return offset + taken;
  }

  /** Neither the second byte of the magic nor a type is ever zero: here the zeros of a new host begin. */
  #isCutHeader(): boolean {
    return this.#header.subarray(1, Math.min(3, this.#headerFilled)).includes(0);
  }

  /** Also of a header that is not complete yet, so that garbage is told at once. */
  #checkHeader(): void {
    const filled = this.#headerFilled;
    const first = this.#header[0] as number;
    if (first !== (MAGIC & 0xff) || (filled >= 2 && this.#header[1] !== MAGIC >>> 8)) {
      throw new MalformedError('bytes that are not the start of a frame');
    }
    if (filled >= 3 && !isFrameType(this.#header[2] as number)) {
      throw new MalformedError(`a frame of unknown type ${this.#header[2]}`);
    }
    if (filled === HEADER_BYTES && this.#payloadLength() > MAX_PAYLOAD_BYTES) {
      throw new MalformedError(`a frame of ${this.#payloadLength()} bytes`);
    }
  }

  #payloadLength(): number {
    return this.#headerView.getUint32(8, true);
  }

  #beginRest(chunk: Uint8Array, offset: number, onFrame: (frame: Frame) => void): number {
    const wanted = this.#payloadLength() + TRAILER_BYTES;
    if (chunk.length - offset >= wanted) {
      this.#finish(chunk.subarray(offset, offset + wanted), onFrame);
      return offset + wanted;
    }
    this.#rest = new Uint8Array(wanted);
    this.#rest.set(chunk.subarray(offset));
    this.#restFilled = chunk.length - offset;
    return chunk.length;
  }

  /** Returns how many bytes of `chunk` it took. */
  #continueRest(rest: Uint8Array, chunk: Uint8Array, onFrame: (frame: Frame) => void): number {
    const taken = Math.min(rest.length - this.#restFilled, chunk.length);
    rest.set(chunk.subarray(0, taken), this.#restFilled);
    this.#restFilled += taken;
    if (this.#restFilled === rest.length) this.#finish(rest, onFrame);
    return taken;
  }

  #finish(rest: Uint8Array, onFrame: (frame: Frame) => void): void {
    const payload = rest.subarray(0, rest.length - TRAILER_BYTES);
    const frame: Frame = {
      type: this.#header[2] as Frame['type'],
      stream: this.#header[3] as number,
      channel: this.#headerView.getUint32(4, true),
      payload,
    };
    this.#headerFilled = 0;
    this.#rest = undefined;
    if (this.#hasTrailer(rest)) onFrame(frame);
  }

  #hasTrailer(rest: Uint8Array): boolean {
    const trailer = new DataView(rest.buffer, rest.byteOffset + rest.length - TRAILER_BYTES, TRAILER_BYTES);
    const found = trailer.getUint32(0, true);
    if (found === TRAILER) return true;
    if (this.#dropCutFrames && isCutTrailer(found)) return false;
    throw new MalformedError('a frame without its trailer');
  }
}

/** The first bytes may be right: the old host can have vanished within the trailer. */
function isCutTrailer(found: number): boolean {
  return [0, 0xff, 0xffff, 0xff_ffff].some((mask) => found === (TRAILER & mask));
}

function skipZeros(chunk: Uint8Array, from: number): number {
  let offset = from;
  while (offset < chunk.length && chunk[offset] === 0) offset += 1;
  return offset;
}
