import type { FileHandle } from 'node:fs/promises';
import { unreadable } from './unreadable.ts';

const CACHED_BLOCKS = 512;

/** The blocks of a file system that say where its files are, of which many are wanted more than once. */
export class BlockCache {
  readonly blockBytes: number;
  readonly #file: FileHandle;
  readonly #blocks: number;
  readonly #cached = new Map<number, Buffer>();
  #readsLeft: number;

  constructor(file: FileHandle, options: { blockBytes: number; blocks: number; maxReads: number }) {
    this.#file = file;
    this.blockBytes = options.blockBytes;
    this.#blocks = options.blocks;
    this.#readsLeft = options.maxReads;
  }

  /** @throws UserError `IMAGE_SOURCE_INVALID`, also when a file system leads round and round */
  async read(block: number): Promise<Buffer> {
    this.#readsLeft -= 1;
    if (this.#readsLeft < 0) throw unreadable('reading it has no end');
    const cached = this.#cached.get(block);
    if (cached !== undefined) return cached;
    const content = await this.readRange(block, 1);
    const [oldest] = this.#cached.keys();
    if (oldest !== undefined && this.#cached.size >= CACHED_BLOCKS) this.#cached.delete(oldest);
    this.#cached.set(block, content);
    return content;
  }

  /** Not kept. @throws UserError `IMAGE_SOURCE_INVALID` */
  async readRange(first: number, count: number): Promise<Buffer> {
    if (first + count > this.#blocks) throw unreadable('it names a block that it does not have');
    const buffer = Buffer.allocUnsafe(count * this.blockBytes);
    const { bytesRead } = await this.#file.read(buffer, 0, buffer.length, first * this.blockBytes);
    if (bytesRead !== buffer.length) throw unreadable('the file is shorter than the file system in it');
    return buffer;
  }
}
