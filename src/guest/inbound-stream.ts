import { Readable } from 'node:stream';
import { CREDIT_PORTION_BYTES } from '#contract/guest/flow-control.ts';
import { detached, PayloadQueue } from './payload-queue.ts';

/** Kept small: what waits here has been granted again already. */
const READABLE_BUFFER_BYTES = 16_384;

/**
 * A stream from the guest as a Readable. Credit is granted as bytes are read, so at most one window waits here.
 * A reader that goes away early gets the rest discarded, so that what sends does not block for ever.
 */
export class InboundStream {
  readonly readable: Readable;
  readonly #grant: (bytes: number) => void;
  readonly #queue = new PayloadQueue();
  #wanted = false;
  #ended = false;
  #ungranted = 0;

  constructor(grant: (bytes: number) => void) {
    this.#grant = grant;
    this.readable = new Readable({
      highWaterMark: READABLE_BUFFER_BYTES,
      read: () => this.#supply(),
      destroy: (error, callback) => {
        this.#consumed(this.#queue.clear());
        callback(error);
      },
    });
    // A lost link is told by the operation's promise; a reader that listens here is told too.
    this.readable.on('error', () => {});
  }

  receive(payload: Uint8Array): void {
    if (this.readable.destroyed) {
      this.#consumed(payload.length);
      return;
    }
    if (this.#wanted && this.#queue.isEmpty) this.#push(detached(payload));
    else this.#queue.push(payload);
  }

  /** No more comes; what waits is still read. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#wanted) this.#supply();
  }

  fail(error: Error): void {
    if (!this.#ended) this.readable.destroy(error);
  }

  #supply(): void {
    this.#wanted = true;
    while (this.#wanted) {
      const piece = this.#queue.shift();
      if (!piece) break;
      this.#push(piece);
    }
    if (this.#wanted && this.#ended) {
      this.#wanted = false;
      this.readable.push(null);
    }
  }

  #push(payload: Uint8Array): void {
    this.#wanted = this.readable.push(payload);
    this.#consumed(payload.length);
  }

  #consumed(bytes: number): void {
    this.#ungranted += bytes;
    if (this.#ungranted < CREDIT_PORTION_BYTES || this.#ended) return;
    this.#grant(this.#ungranted);
    this.#ungranted = 0;
  }
}
