import { INITIAL_CREDIT_BYTES, MAX_CREDIT_BYTES } from '#contract/guest/flow-control.ts';

/** What the sender of one stream may still send. Both ends keep the same account. */
export class Credit {
  #bytes = INITIAL_CREDIT_BYTES;

  get bytes(): number {
    return this.#bytes;
  }

  /** False when there is less: nothing is taken then. */
  take(bytes: number): boolean {
    if (bytes > this.#bytes) return false;
    this.#bytes -= bytes;
    return true;
  }

  /** False when the sum is more than any receiver could mean. */
  grant(bytes: number): boolean {
    if (bytes > MAX_CREDIT_BYTES - this.#bytes) return false;
    this.#bytes += bytes;
    return true;
  }
}
