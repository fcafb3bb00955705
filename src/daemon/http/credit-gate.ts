import { INITIAL_CREDIT_BYTES } from '#contract/guest/flow-control.ts';

/**
 * Credit on its way from a client to the guest, for one stream. An honest client never has more than one window outstanding; one that
 * grants more, or grants without reading its socket, is held back here, because what the guest then sent would pile up in the daemon.
 */
export class CreditGate {
  #outstanding = INITIAL_CREDIT_BYTES;
  #held = 0;

  /** The client takes so many bytes more. */
  grant(bytes: number): void {
    this.#held += bytes;
  }

  /** The guest has used so much of it. */
  use(bytes: number): void {
    this.#outstanding -= bytes;
  }

  /** What may be granted to the guest now, and counts as granted from here on. */
  release(): number {
    const bytes = Math.min(this.#held, INITIAL_CREDIT_BYTES - this.#outstanding);
    this.#held -= bytes;
    this.#outstanding += bytes;
    return bytes;
  }
}
