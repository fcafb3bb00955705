import { open, stat, type FileHandle } from 'node:fs/promises';
import { systemErrorCode } from '#base/errors.ts';
import { olderLogPath } from '#base/older-log-path.ts';

const CHUNK_BYTES = 65_536;

/**
 * Reads a log that its writer may put aside at any time (`olderLogPath`) and begin anew, without losing or repeating a byte.
 * Only what was put aside and replaced between two looks is lost. The log may not be there yet, and may be cut.
 */
export class RotatedLog implements AsyncDisposable {
  readonly #path: string;
  #current: { file: FileHandle; inode: number; offset: number } | undefined;
  #olderInode: number | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** The last `maxBytes` of what is there now. To be asked first, if at all. */
  async *readTail(maxBytes: number): AsyncGenerator<Buffer, void, undefined> {
    // The newer file first: when it is put aside meanwhile it is found again as the older one, and seen to be the same.
    const current = (this.#current = await this.#open());
    const size = current ? (await current.file.stat()).size : 0;
    await using older = await openIfThere(olderLogPath(this.#path));
    const stats = await older?.stat();
    this.#olderInode = stats?.ino;
    const olderSize = stats === undefined || stats.ino === current?.inode ? 0 : stats.size;
    const skipped = Math.max(0, olderSize + size - maxBytes);
    if (older) yield* readRange(older, skipped, olderSize);
    if (!current) return;
    current.offset = Math.max(0, skipped - olderSize);
    yield* this.#readRest();
  }

  /** What was written since the last look. */
  async *readNew(): AsyncGenerator<Buffer, void, undefined> {
    this.#current ??= await this.#open();
    yield* this.#readRest();
    while (await this.#wasReplaced()) {
      yield* this.#readRest(); // what was written before the file was left
      const left = this.#current;
      this.#current = undefined;
      await left?.file.close();
      yield* this.#readMissed(left?.inode);
      this.#current = await this.#open();
      yield* this.#readRest();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#current?.file.close();
  }

  async *#readRest(): AsyncGenerator<Buffer, void, undefined> {
    const current = this.#current;
    if (!current) return;
    const { size } = await current.file.stat();
    if (current.offset > size) current.offset = 0;
    for await (const chunk of readRange(current.file, current.offset, size)) {
      current.offset += chunk.length;
      yield chunk;
    }
  }

  /** Between its putting aside and its beginning there is no file: then the old one is still what there is. */
  async #wasReplaced(): Promise<boolean> {
    if (!this.#current) return false;
    try {
      return (await stat(this.#path)).ino !== this.#current.inode;
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return false;
      throw error;
    }
  }

  /** A whole file that came and went since the last look. */
  async *#readMissed(leftInode: number | undefined): AsyncGenerator<Buffer, void, undefined> {
    await using older = await openIfThere(olderLogPath(this.#path));
    const stats = await older?.stat();
    const isKnown = stats?.ino === leftInode || stats?.ino === this.#olderInode;
    this.#olderInode = stats?.ino;
    if (older && stats && !isKnown) yield* readRange(older, 0, stats.size);
  }

  async #open(): Promise<{ file: FileHandle; inode: number; offset: number } | undefined> {
    const file = await openIfThere(this.#path);
    return file && { file, inode: (await file.stat()).ino, offset: 0 };
  }
}

async function* readRange(
  file: FileHandle,
  from: number,
  to: number,
): AsyncGenerator<Buffer, void, undefined> {
  for (let offset = from; offset < to;) {
    const wanted = Math.min(CHUNK_BYTES, to - offset);
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(wanted), 0, wanted, offset);
    if (bytesRead === 0) return;
    offset += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
