import type { FileHandle } from 'node:fs/promises';

const BYTES_BETWEEN = 32 * 2 ** 20;

/** Lets the disk begin before everything is written: what is to be durable in the end would else wait for it all at once. */
export class EarlySync {
  readonly #file: Pick<FileHandle, 'datasync'>;
  #bytes = 0;
  #running: Promise<void> | undefined;
  #failure: { error: unknown } | undefined;

  constructor(file: Pick<FileHandle, 'datasync'>) {
    this.#file = file;
  }

  /** To be told how much was written. */
  readonly wrote = (bytes: number): void => {
    this.#bytes += bytes;
    if (this.#bytes < BYTES_BETWEEN || this.#running) return;
    this.#bytes = 0;
    this.#running = this.#sync();
  };

  /** Before the file is closed. @throws what a sync failed with: the kernel says it once, and never to a file that is opened later */
  async settle(): Promise<void> {
    await this.#running;
    if (this.#failure) throw this.#failure.error;
  }

  async #sync(): Promise<void> {
    try {
      await this.#file.datasync();
    } catch (error) {
      this.#failure ??= { error };
    }
    this.#running = undefined;
  }
}
