import type { Readable, Writable } from 'node:stream';
import type { Abortable } from '#base/abort.ts';
import type { UserError } from '#contract/errors.ts';
import { encodeCredit, GuestStream } from '#contract/guest/flow-control.ts';
import { FrameType } from '#contract/guest/frames.ts';
import type { Frame } from '#contract/guest/frames.ts';
import { decodeGuestFailure } from '#contract/guest/guest-error.ts';
import type { GuestFailure } from '#contract/guest/guest-error.ts';
import { decodeLost } from '#contract/guest/lost.ts';
import { MalformedError } from '#contract/guest/malformed.ts';
import type { ChannelFrame, RawChannel } from './channel.ts';
import { awaitGuest, givenUpError, protocolError } from './guest-errors.ts';
import { InboundStream } from './inbound-stream.ts';
import { OutboundStream } from './outbound-stream.ts';
import type { AgentSession } from './session.ts';

export interface OperationOptions<Opened, Result> {
  /** Continues "Cannot …" in errors: `run "ls"`. */
  action: string;
  /** The encoded `OPEN`. */
  open: Uint8Array;
  /** What it means when the input is destroyed before its end: that no more comes, or that the operation is given up. */
  abandonedInput: 'eof' | 'close';
  /** Decode what the guest answers; may throw MalformedError, which ends the session. */
  decodeOpened: (payload: Uint8Array) => Opened;
  decodeResult: (payload: Uint8Array) => Result;
  toError: (action: string, failure: GuestFailure) => UserError;
  /** The guest left so many bytes of output out. */
  onLost?: ((bytes: number) => void) | undefined;
}

/** One operation of the agent, its frames turned into Node streams and promises. */
export class OperationChannel<Opened, Result> {
  /** Rejects as {@link result} does when the guest ends the operation before. */
  readonly opened: Promise<Opened>;
  readonly result: Promise<Result>;
  readonly #options: OperationOptions<Opened, Result>;
  readonly #channel: RawChannel;
  readonly #input: OutboundStream;
  readonly #output: InboundStream;
  readonly #errors: InboundStream;
  readonly #opening = Promise.withResolvers<Opened>();
  readonly #ending = Promise.withResolvers<Result>();
  #failure: UserError | undefined;

  constructor(session: AgentSession, options: OperationOptions<Opened, Result>) {
    this.#options = options;
    this.opened = this.#opening.promise;
    this.result = this.#ending.promise;
    // Callers may look at one of the two only.
    this.opened.catch(() => {});
    this.result.catch(() => {});
    this.#input = new OutboundStream(
      () => this.#channel,
      () => this.#inputAbandoned(),
    );
    this.#output = this.#inbound(GuestStream.OUTPUT);
    this.#errors = this.#inbound(GuestStream.ERRORS);
    this.#channel = session.openChannel(options.open, {
      onFrame: (frame) => this.#receive(frame),
      onEnd: (error) => this.#end(error ?? this.#failure),
    });
  }

  get input(): Writable {
    return this.#input.writable;
  }

  get output(): Readable {
    return this.#output.readable;
  }

  get errors(): Readable {
    return this.#errors.readable;
  }

  send(frame: ChannelFrame): void {
    this.#channel.send(frame);
  }

  /** Gives up: what runs in the guest is ended, both promises reject. Idempotent. */
  close(): void {
    this.#failure ??= givenUpError(this.#options.action);
    this.#channel.close();
  }

  /** Waits for the answer to `OPEN`; gives up when the signal aborts. */
  async waitOpened({ signal }: Abortable): Promise<Opened> {
    return this.#awaitOrClose(this.opened, signal);
  }

  /** Waits for the end; gives up when the signal aborts. */
  async waitResult({ signal }: Abortable): Promise<Result> {
    return this.#awaitOrClose(this.result, signal);
  }

  async #awaitOrClose<T>(answer: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    try {
      return await awaitGuest(answer, this.#options.action, signal);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #inputAbandoned(): void {
    if (this.#options.abandonedInput === 'close') this.close();
    else this.#channel.send({ type: FrameType.EOF, stream: GuestStream.INPUT });
  }

  #inbound(stream: GuestStream): InboundStream {
    return new InboundStream((bytes) =>
      this.#channel.send({ type: FrameType.CREDIT, stream, payload: encodeCredit(bytes) }),
    );
  }

  #receive(frame: Frame): void {
    switch (frame.type) {
      case FrameType.OPENED:
        this.#opening.resolve(this.#options.decodeOpened(frame.payload));
        return;
      case FrameType.DATA:
        this.#streamOf(frame).receive(frame.payload);
        return;
      case FrameType.EOF:
        this.#streamOf(frame).end();
        return;
      case FrameType.CREDIT:
        this.#input.flush();
        return;
      case FrameType.LOST:
        this.#lost(decodeLost(frame.payload));
        return;
      case FrameType.RESULT:
        this.#ending.resolve(this.#options.decodeResult(frame.payload));
        return;
      case FrameType.ERROR:
        this.#failure = this.#options.toError(this.#options.action, decodeGuestFailure(frame.payload));
        return;
      default:
        throw new MalformedError(`a frame of type ${frame.type} on a channel`);
    }
  }

  #lost(bytes: number): void {
    this.#options.onLost?.(bytes);
  }

  #streamOf(frame: Frame): InboundStream {
    return frame.stream === GuestStream.OUTPUT ? this.#output : this.#errors;
  }

  #end(error: UserError | undefined): void {
    if (!error) {
      this.#input.end();
      this.#output.end();
      this.#errors.end();
      this.#opening.reject(protocolError(new MalformedError('a result before it began')));
      return;
    }
    this.#opening.reject(error);
    this.#ending.reject(error);
    this.#input.fail(error);
    this.#output.fail(error);
    this.#errors.fail(error);
  }
}
