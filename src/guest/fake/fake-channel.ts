import { decodeCredit, encodeCredit, GuestStream, MAX_DATA_BYTES } from '#contract/guest/flow-control.ts';
import { FrameType } from '#contract/guest/frames.ts';
import type { Frame } from '#contract/guest/frames.ts';
import { encodeGuestFailure } from '#contract/guest/guest-error.ts';
import type { GuestErrorCode } from '#contract/guest/guest-error.ts';
import { encodeLost } from '#contract/guest/lost.ts';
import { Credit } from '../credit.ts';
import type { FrameWriter } from '../frame-writer.ts';
import { PayloadQueue } from '../payload-queue.ts';

/** Why an operation of the fake ends with `ERROR`. */
export class FakeFailure extends Error {
  readonly code: GuestErrorCode;

  constructor(code: GuestErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** The guest's end of one channel. */
export class FakeChannel {
  /** Aborts when the host closes the channel or the session ends. */
  readonly closed: AbortSignal;
  onSignal: (signal: number) => void = () => {};
  readonly #number: number;
  readonly #writer: FrameWriter;
  readonly #closing = new AbortController();
  readonly #ended = Promise.withResolvers<void>();
  readonly #credits = [new Credit(), new Credit(), new Credit()] as const;
  readonly #queue = new PayloadQueue();
  #inputEnded = false;
  #changed = Promise.withResolvers<void>();

  constructor(number: number, writer: FrameWriter) {
    this.#number = number;
    this.#writer = writer;
    this.closed = this.#closing.signal;
    this.closed.addEventListener('abort', () => this.#change(), { once: true });
  }

  /** Resolves when {@link closed} aborts. */
  get whenClosed(): Promise<void> {
    return this.#ended.promise;
  }

  close(): void {
    this.#closing.abort();
    this.#ended.resolve();
  }

  /** @throws FakeFailure `FLOW` */
  receive(frame: Frame): void {
    if (frame.type === FrameType.DATA) {
      if (!this.#credits[0].take(frame.payload.length))
        throw new FakeFailure('FLOW', 'data beyond the credit');
      this.#queue.push(frame.payload);
    }
    if (frame.type === FrameType.EOF) this.#inputEnded = true;
    if (frame.type === FrameType.CREDIT) this.#credit(frame.stream).grant(decodeCredit(frame.payload));
    this.#change();
  }

  opened(payload?: Uint8Array): void {
    this.#send(FrameType.OPENED, payload);
  }

  result(payload?: Uint8Array): void {
    this.#send(FrameType.RESULT, payload);
  }

  /** So many bytes of output are left out here. */
  lost(bytes: number): void {
    this.#send(FrameType.LOST, encodeLost(bytes));
  }

  fail(code: GuestErrorCode, message: string): void {
    this.#send(FrameType.ERROR, encodeGuestFailure({ code, message }));
  }

  endOutput(stream: GuestStream): void {
    if (!this.closed.aborted) this.#writer.write({ type: FrameType.EOF, channel: this.#number, stream });
  }

  async *input(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const piece = this.#queue.shift();
      if (piece) {
        yield piece;
        this.#grant(piece.length);
      } else if (this.#inputEnded || this.closed.aborted) {
        return;
      } else {
        await this.#changed.promise;
      }
    }
  }

  async write(stream: GuestStream, bytes: Uint8Array): Promise<void> {
    const credit = this.#credit(stream);
    let rest = bytes;
    while (rest.length > 0 && !this.closed.aborted) {
      const size = Math.min(rest.length, MAX_DATA_BYTES, credit.bytes);
      if (size === 0) {
        await this.#changed.promise;
        continue;
      }
      credit.take(size);
      this.#writer.write({
        type: FrameType.DATA,
        channel: this.#number,
        stream,
        payload: rest.subarray(0, size),
      });
      rest = rest.subarray(size);
    }
  }

  #grant(bytes: number): void {
    if (this.closed.aborted) return;
    this.#credits[GuestStream.INPUT].grant(bytes);
    const payload = encodeCredit(bytes);
    this.#writer.write({ type: FrameType.CREDIT, channel: this.#number, stream: GuestStream.INPUT, payload });
  }

  #credit(stream: number): Credit {
    return this.#credits[stream] ?? this.#credits[GuestStream.ERRORS];
  }

  #send(type: FrameType, payload: Uint8Array = new Uint8Array(0)): void {
    if (!this.closed.aborted) this.#writer.write({ type, channel: this.#number, payload });
  }

  #change(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
