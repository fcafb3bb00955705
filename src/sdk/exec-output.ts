import { Readable } from 'node:stream';
import { CREDIT_PORTION_BYTES } from '#contract/guest/flow-control.ts';

/**
 * An output of the command. The guest sends no more than one window beyond what was read here. When it is destroyed
 * early the rest is thrown away, so that the command does not block for ever.
 */
export class ExecOutput {
  readonly readable: Readable;
  readonly #grant: (bytes: number) => void;
  #received = 0;
  #granted = 0;
  #ended = false;

  constructor(grant: (bytes: number) => void) {
    this.#grant = grant;
    this.readable = new Readable({
      highWaterMark: CREDIT_PORTION_BYTES,
      // Node asks for more before it takes out what is being read.
      read: () => process.nextTick(() => this.#grantConsumed()),
      destroy: (error, callback) => {
        this.#grantConsumed();
        callback(error);
      },
    });
    // How the command was lost is told by wait(); whoever listens here is told too.
    this.readable.on('error', () => {});
  }

  receive(payload: Uint8Array): void {
    this.#received += payload.length;
    if (this.readable.destroyed) this.#grantConsumed();
    else this.readable.push(payload);
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    if (!this.readable.destroyed) this.readable.push(null);
  }

  /** What came before is no longer sure to be all, so a reader must not see an ordinary end. */
  fail(error: Error | undefined): void {
    if (!this.#ended) this.readable.destroy(error);
  }

  #grantConsumed(): void {
    const waiting = this.readable.destroyed ? 0 : this.readable.readableLength;
    const bytes = this.#received - waiting - this.#granted;
    if (bytes < CREDIT_PORTION_BYTES || this.#ended) return;
    this.#granted += bytes;
    this.#grant(bytes);
  }
}
