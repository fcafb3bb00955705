import type { Duplex } from 'node:stream';
import { encodeFrame } from '#contract/guest/frames.ts';
import type { OutgoingFrame } from '#contract/guest/frames.ts';

/**
 * Writes the frames of one turn of the event loop in one system call, and lets bulk senders take turns
 * when the link is slower than they are.
 */
export class FrameWriter {
  readonly #stream: Duplex;
  readonly #waiting: (() => void)[] = [];
  #corked = false;

  constructor(stream: Duplex) {
    this.#stream = stream;
    stream.on('drain', () => this.#wake());
    stream.on('close', () => this.#wake());
  }

  /** True while the link takes more without queueing beyond its high-water mark; and when it is gone, for nobody to wait. */
  get isWritable(): boolean {
    return !this.#stream.writableNeedDrain || this.#stream.destroyed;
  }

  /** Never blocks; what is queued is bounded by the senders, who look at {@link isWritable} before bulk data. */
  write(frame: OutgoingFrame): void {
    if (this.#stream.destroyed) return;
    if (!this.#corked) this.#cork();
    for (const part of encodeFrame(frame)) this.#stream.write(part);
  }

  /** Calls back once when the link takes more; senders are called in the order in which they asked. */
  onWritable(callback: () => void): void {
    this.#waiting.push(callback);
  }

  #cork(): void {
    this.#corked = true;
    this.#stream.cork();
    process.nextTick(() => {
      this.#corked = false;
      this.#stream.uncork();
    });
  }

  #wake(): void {
    while (this.#waiting.length > 0 && this.isWritable) this.#waiting.shift()?.();
  }
}
