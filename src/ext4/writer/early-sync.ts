import type { FileHandle } from 'node:fs/promises';

const BYTES_BETWEEN = 32 * 2 ** 20;

/** Lets the disk begin before everything is written: what is to be durable in the end would else wait for it all at once. */
export class EarlySync {
  readonly #file: FileHandle;
  #bytes = 0;
  #running: Promise<void> | undefined;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** To be told how much was written. */
  readonly wrote = (bytes: number): void => {
    this.#bytes += bytes;
    if (this.#bytes < BYTES_BETWEEN || this.#running) return;
    this.#bytes = 0;
    this.#running = this.#file.datasync().finally(() => (this.#running = undefined));
    this.#running.catch(() => {}); // the last sync of all will say so too
  };

  /** Before the file is closed. */
  async settle(): Promise<void> {
    await this.#running;
  }
}
