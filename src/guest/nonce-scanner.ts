import { Buffer } from 'node:buffer';

/** Finds the first occurrence of a nonce in a byte stream, also across chunks. */
export class NonceScanner {
  readonly #nonce: Uint8Array;
  #tail: Uint8Array = new Uint8Array(0);
  #discarded = 0;

  constructor(nonce: Uint8Array) {
    this.#nonce = nonce;
  }

  /** Bytes seen that were not the nonce. */
  get discarded(): number {
    return this.#discarded;
  }

  /** What follows the nonce in `chunk`, or undefined when it has not come yet. */
  push(chunk: Uint8Array): Uint8Array | undefined {
    const joined = Buffer.concat([this.#tail, chunk]);
    const at = joined.indexOf(this.#nonce);
    if (at >= 0) return joined.subarray(at + this.#nonce.length);
    const kept = Math.min(joined.length, this.#nonce.length - 1);
    this.#tail = joined.subarray(joined.length - kept);
    this.#discarded += chunk.length;
    return undefined;
  }
}
