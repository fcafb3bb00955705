import type { FileHandle } from 'node:fs/promises';
import { writeWhole } from '#host/files.ts';

const BUFFER_BYTES = 1024 * 1024;

export interface WriterOptions {
  /** What may be written as zeroes between two pieces: what is left of a block that belongs to the first one. */
  maxGap?: number;
  onWritten?: ((bytes: number) => void) | undefined;
}

/** Collects what is written in a row, so that a hundred thousand small files do not become as many writes. Zeroes stay holes. */
export class SequentialWriter {
  readonly #file: FileHandle;
  readonly #maxGap: number;
  readonly #onWritten: WriterOptions['onWritten'];
  readonly #buffer = Buffer.alloc(BUFFER_BYTES);
  #start = 0;
  #length = 0;

  /** @param file holds zeroes wherever this writes */
  constructor(file: FileHandle, { maxGap = 0, onWritten }: WriterOptions = {}) {
    this.#file = file;
    this.#maxGap = maxGap;
    this.#onWritten = onWritten;
  }

  /** Fast as long as it fits; a promise only where it must wait. */
  write(position: number, bytes: Buffer): Promise<void> | undefined {
    const gap = position - (this.#start + this.#length);
    const end = position - this.#start + bytes.length;
    if (this.#length === 0 || gap < 0 || gap > this.#maxGap || end > BUFFER_BYTES)
      return this.#begin(position, bytes);
    this.#buffer.fill(0, this.#length, this.#length + gap);
    bytes.copy(this.#buffer, this.#length + gap);
    this.#length = end;
    return undefined;
  }

  async flush(): Promise<void> {
    const bytes = this.#buffer.subarray(0, this.#length);
    this.#length = 0;
    await this.#writeNow(bytes, this.#start);
  }

  async #begin(position: number, bytes: Buffer): Promise<void> {
    await this.flush();
    const whole = bytes.length - (bytes.length % BUFFER_BYTES);
    for (let at = 0; at < whole; at += BUFFER_BYTES) {
      await this.#writeNow(bytes.subarray(at, at + BUFFER_BYTES), position + at);
    }
    this.#start = position + whole;
    this.#length = bytes.copy(this.#buffer, 0, whole);
  }

  async #writeNow(bytes: Buffer, position: number): Promise<void> {
    if (bytes.equals(ZEROES.subarray(0, bytes.length))) return;
    await writeWhole(this.#file, bytes, position);
    this.#onWritten?.(bytes.length);
  }
}

const ZEROES = Buffer.alloc(BUFFER_BYTES);
