import { createHash, type Hash } from 'node:crypto';
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import type { Abortable } from '#base/abort.ts';
import { writeWhole } from '#host/files.ts';
import { digestFrom } from './digest.ts';

const CHUNK = 2 ** 20;

/** A download on its way to the disk, hashed as it comes; what an earlier attempt left is hashed first and gone on with. */
export class PartialBlob implements AsyncDisposable {
  readonly #file: FileHandle;
  #hash: Hash = createHash('sha256');
  #bytes = 0;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  static async open(path: string, { signal }: Abortable = {}): Promise<PartialBlob> {
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;
    const partial = new PartialBlob(await open(path, flags, 0o600));
    try {
      await partial.#hashWhatIsThere(signal);
      return partial;
    } catch (error) {
      await partial[Symbol.asyncDispose]();
      throw error;
    }
  }

  get bytes(): number {
    return this.#bytes;
  }

  async append(chunk: Buffer): Promise<void> {
    const writing = writeWhole(this.#file, chunk, this.#bytes);
    // While the disk works.
    this.#hash.update(chunk);
    await writing;
    this.#bytes += chunk.length;
  }

  /** Forgets everything. */
  async restart(): Promise<void> {
    await this.#file.truncate(0);
    this.#hash = createHash('sha256');
    this.#bytes = 0;
  }

  /** The digest of all of it, which is on the disk then. */
  async finish(): Promise<string> {
    await this.#file.sync();
    return digestFrom(this.#hash.copy());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }

  async #hashWhatIsThere(signal: AbortSignal | undefined): Promise<void> {
    const buffer = Buffer.allocUnsafe(CHUNK);
    for (;;) {
      signal?.throwIfAborted();
      const { bytesRead } = await this.#file.read(buffer, 0, CHUNK, this.#bytes);
      if (bytesRead === 0) return;
      this.#hash.update(buffer.subarray(0, bytesRead));
      this.#bytes += bytesRead;
    }
  }
}
