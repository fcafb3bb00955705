import { once } from 'node:events';
import type { Writable } from 'node:stream';

const BATCH_BYTES = 64 * 1024;

/** Writes many small pieces to a stream as few large ones. */
export class Gathering {
  readonly #stream: Writable;
  #batch = Buffer.allocUnsafe(BATCH_BYTES);
  #length = 0;

  constructor(stream: Writable) {
    this.#stream = stream;
  }

  /** Takes a copy. Resolves when the stream wants more; rejects with what it failed with. */
  async add(bytes: Buffer): Promise<void> {
    if (this.#length + bytes.length > BATCH_BYTES) await this.#flush();
    if (bytes.length > BATCH_BYTES) await this.#write(Buffer.from(bytes));
    else this.#length += bytes.copy(this.#batch, this.#length);
  }

  async end(): Promise<void> {
    await this.#flush();
    this.#stream.end();
  }

  async #flush(): Promise<void> {
    const bytes = this.#batch.subarray(0, this.#length);
    this.#batch = Buffer.allocUnsafe(BATCH_BYTES);
    this.#length = 0;
    if (bytes.length > 0) await this.#write(bytes);
  }

  async #write(bytes: Buffer): Promise<void> {
    if (this.#stream.errored) throw this.#stream.errored;
    if (!this.#stream.write(bytes)) await once(this.#stream, 'drain');
  }
}
