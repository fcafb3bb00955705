import { copyFileSync, fstatSync, ftruncateSync, statSync, writeSync } from 'node:fs';
import { systemErrorCode } from '#base/errors.ts';
import { olderLogPath } from '#base/older-log-path.ts';

export interface BoundedLogOptions {
  /** Where to write: opened for appending by whoever started this process. */
  fd: number;
  /** What it is open on. When it is something else, such as a terminal, it has no bound. */
  path: string;
  maxBytes: number;
}

/**
 * Appends to a log that this process alone writes. A full one is copied to `olderLogPath` and cut, not moved: the descriptor stays
 * what it is, also for what Node itself prints there. Both happen within one call, so that nothing is written in between.
 */
export class BoundedLog {
  readonly #fd: number;
  readonly #path: string;
  readonly #maxBytes: number;
  #bytes: number;

  constructor({ fd, path, maxBytes }: BoundedLogOptions) {
    this.#fd = fd;
    this.#path = path;
    this.#maxBytes = maxBytes;
    this.#bytes = fstatSync(fd).size;
  }

  /** Never throws: what cannot be written, because the disk is full, is dropped. */
  write(text: string): void {
    const bytes = Buffer.from(text);
    try {
      if (this.#bytes + bytes.length > this.#maxBytes) this.#makeRoom();
      this.#bytes += bytes.length;
      for (let offset = 0; offset < bytes.length;) offset += writeSync(this.#fd, bytes, offset);
    } catch (error) {
      if (systemErrorCode(error) === undefined) throw error;
    }
  }

  #makeRoom(): void {
    this.#bytes = fstatSync(this.#fd).size;
    if (this.#bytes === 0 || !this.#isItsFile()) return;
    try {
      copyFileSync(this.#path, olderLogPath(this.#path));
    } finally {
      // Where it cannot be put aside it is cut: the bound comes first.
      ftruncateSync(this.#fd, 0);
      this.#bytes = 0;
    }
  }

  #isItsFile(): boolean {
    const [open, named] = [fstatSync(this.#fd), statSync(this.#path, { throwIfNoEntry: false })];
    return open.isFile() && open.ino === named?.ino && open.dev === named.dev;
  }
}
