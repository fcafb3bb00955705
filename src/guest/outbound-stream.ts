import { Writable } from 'node:stream';
import { GuestStream, MAX_DATA_BYTES } from '#contract/guest/flow-control.ts';
import { FrameType } from '#contract/guest/frames.ts';
import type { RawChannel } from './channel.ts';

interface PendingWrite {
  rest: Uint8Array;
  callback: (error?: Error | null) => void;
}

/** Stream 0 as a Writable: waits for the guest's credit and for the link. */
export class OutboundStream {
  readonly writable: Writable;
  readonly #channel: () => RawChannel;
  readonly #onAbandoned: () => void;
  #pending: PendingWrite | undefined;
  #waitsForLink = false;

  /** `onAbandoned` is called when the writer destroys the stream without ending it. */
  constructor(channel: () => RawChannel, onAbandoned: () => void) {
    this.#channel = channel;
    this.#onAbandoned = onAbandoned;
    this.writable = new Writable({
      highWaterMark: MAX_DATA_BYTES,
      write: (chunk: Uint8Array, _encoding, callback) => {
        this.#pending = { rest: chunk, callback };
        this.flush();
      },
      final: (callback) => {
        this.#channel().send({ type: FrameType.EOF, stream: GuestStream.INPUT });
        callback();
      },
      destroy: (error, callback) => {
        if (!this.writable.writableFinished) this.#onAbandoned();
        this.#pending?.callback(error ?? new Error('the guest takes no more'));
        this.#pending = undefined;
        callback(error);
      },
    });
    // A lost link is told by the operation's promise; a writer that listens here is told too.
    this.writable.on('error', () => {});
  }

  /** Sends what credit and link allow; also called when credit has come. */
  flush(): void {
    const pending = this.#pending;
    if (!pending) return;
    const channel = this.#channel();
    while (pending.rest.length > 0 && channel.sendCredit > 0) {
      if (!channel.isWritable) {
        this.#flushWhenWritable(channel);
        return;
      }
      const size = Math.min(pending.rest.length, channel.sendCredit, MAX_DATA_BYTES);
      channel.send({
        type: FrameType.DATA,
        stream: GuestStream.INPUT,
        payload: pending.rest.subarray(0, size),
      });
      pending.rest = pending.rest.subarray(size);
    }
    if (pending.rest.length > 0) return;
    this.#pending = undefined;
    pending.callback();
  }

  /** The guest takes no more: like a pipe whose reader is gone, but without an error. */
  end(): void {
    this.writable.destroy();
  }

  fail(error: Error): void {
    if (!this.writable.writableFinished) this.writable.destroy(error);
  }

  #flushWhenWritable(channel: RawChannel): void {
    if (this.#waitsForLink) return;
    this.#waitsForLink = true;
    channel.onWritable(() => {
      this.#waitsForLink = false;
      this.flush();
    });
  }
}
