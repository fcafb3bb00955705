import type { Duplex } from 'node:stream';
import type { Abortable } from '#base/abort.ts';
import { systemClock } from '#base/clock.ts';
import type { Clock } from '#base/clock.ts';
import { silentLogger } from '#base/log.ts';
import type { Logger } from '#base/log.ts';
import { countYoungBuffer } from '#base/young-buffers.ts';
import { UserError } from '#contract/errors.ts';
import { FrameDecoder } from '#contract/guest/frame-decoder.ts';
import { CONTROL_CHANNEL, FrameType, frameTypeName } from '#contract/guest/frames.ts';
import type { Frame } from '#contract/guest/frames.ts';
import { decodeHelloOk, MAX_DISCARDED_BYTES } from '#contract/guest/hello.ts';
import type { AgentHello } from '#contract/guest/hello.ts';
import { MalformedError } from '#contract/guest/malformed.ts';
import { RawChannel } from './channel.ts';
import type { ChannelHandler } from './channel.ts';
import { FrameWriter } from './frame-writer.ts';
import { greet } from './greeting.ts';
import type { Greeted } from './greeting.ts';
import { awaitGuest, linkLostError, protocolError } from './guest-errors.ts';
import type { NonceScanner } from './nonce-scanner.ts';
import { PingQueue } from './ping-queue.ts';

export interface SessionOptions extends Abortable {
  clock?: Clock | undefined;
  log?: Logger | undefined;
  /** Nobody has sent this guest anything before: its link needs no resynchronisation. */
  isFirstHost?: boolean | undefined;
}

const LAST_CHANNEL = 0xffff_ffff;

/**
 * One conversation with the agent over one stream: a single reader that hands frames to their channels, a single writer.
 * Whatever the guest does wrong ends the session with `GUEST_PROTOCOL`, and nothing else.
 */
export class AgentSession {
  readonly hello: AgentHello;
  /** Resolves when the session is over: with what ended it, or undefined after {@link close}. */
  readonly closed: Promise<UserError | undefined>;
  readonly #stream: Duplex;
  readonly #writer: FrameWriter;
  readonly #log: Logger;
  readonly #decoder = new FrameDecoder();
  readonly #channels = new Map<number, RawChannel>();
  readonly #pings = new PingQueue();
  readonly #settleClosed: (error: UserError | undefined) => void;
  /** Until the answer to the greeting that brought the clock has come. */
  #unconfirmed: NonceScanner | undefined;
  #isConfirmed = false;
  #lastChannel = CONTROL_CHANNEL;
  #end: { error: UserError } | undefined;

  /**
   * Waits for the agent, also when the guest still boots. Owns the stream from the call on: it is destroyed when this rejects.
   *
   * @throws UserError `GUEST_NOT_ANSWERING` (the signal is a deadline that passed), `GUEST_PROTOCOL`,
   * `GUEST_PROTOCOL_UNSUPPORTED`, `GUEST_LINK_LOST`; the signal's reason
   */
  static async open(stream: Duplex, options: SessionOptions = {}): Promise<AgentSession> {
    try {
      const { clock = systemClock, isFirstHost = false, signal } = options;
      const greeting = greet(stream, { clock, isFirstHost, signal });
      const greeted = await awaitGuest(greeting, 'reach the guest agent', options.signal);
      if (greeted.hello.generation === 0) throw unsupported(greeted.hello);
      return new AgentSession(stream, greeted, options.log ?? silentLogger);
    } catch (error) {
      // The greeting listens no more, and whoever gets this error needs no second one.
      stream.on('error', () => {});
      stream.destroy();
      throw error;
    }
  }

  private constructor(stream: Duplex, { hello, confirmation }: Greeted, log: Logger) {
    this.#stream = stream;
    this.#writer = new FrameWriter(stream);
    this.#log = log;
    this.hello = hello;
    this.#unconfirmed = confirmation;
    const closed = Promise.withResolvers<UserError | undefined>();
    this.closed = closed.promise;
    this.#settleClosed = closed.resolve;
    stream.on('data', (chunk: Uint8Array) => this.#receive(chunk));
    stream.on('error', (error) => this.#finish(linkLostError(error)));
    stream.on('end', () => this.#finish(linkLostError()));
    stream.on('close', () => this.#finish(linkLostError()));
    stream.resume();
    log.debug({ hello }, 'guest session open');
  }

  /** Round trip in milliseconds. @throws UserError `GUEST_NOT_ANSWERING`, `GUEST_LINK_LOST`, `GUEST_PROTOCOL` */
  async ping(options: Abortable = {}): Promise<number> {
    this.#assertOpen();
    const answer = this.#pings.ask((payload) =>
      this.#writer.write({ type: FrameType.PING, channel: CONTROL_CHANNEL, payload }),
    );
    return awaitGuest(answer, 'reach the guest agent', options.signal);
  }

  /**
   * Opens a channel with an encoded `OPEN`; what the guest says of it goes to the handler.
   *
   * @throws UserError `GUEST_LINK_LOST` or `GUEST_PROTOCOL` when the session is over
   */
  openChannel(open: Uint8Array, handler: ChannelHandler): RawChannel {
    this.#assertOpen();
    // Numbers are never used twice, so a late frame of a closed channel cannot be taken for another's.
    if (this.#lastChannel === LAST_CHANNEL) throw linkLostError(new Error('all channel numbers are used up'));
    this.#lastChannel += 1;
    const number = this.#lastChannel;
    const link = { writer: this.#writer, release: (ended: number) => this.#channels.delete(ended) };
    const channel = new RawChannel(number, link, handler);
    this.#channels.set(number, channel);
    this.#writer.write({ type: FrameType.OPEN, channel: number, payload: open });
    return channel;
  }

  /** Ends the session and with it everything that runs on its channels. Idempotent. */
  async close(): Promise<void> {
    this.#finish(undefined);
    await this.closed;
  }

  #receive(chunk: Uint8Array): void {
    if (this.#end) return;
    countYoungBuffer(chunk.length);
    try {
      const frames = this.#unconfirmed ? this.#afterNonce(this.#unconfirmed, chunk) : chunk;
      if (frames) this.#decoder.push(frames, (frame) => this.#dispatch(frame));
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
      this.#finish(protocolError(error));
    }
  }

  #afterNonce(scanner: NonceScanner, chunk: Uint8Array): Uint8Array | undefined {
    const frames = scanner.push(chunk);
    if (frames) this.#unconfirmed = undefined;
    else if (scanner.discarded > MAX_DISCARDED_BYTES)
      throw new MalformedError(`${scanner.discarded} bytes instead of an answer to the second greeting`);
    return frames;
  }

  #confirm(frame: Frame): void {
    if (frame.type !== FrameType.HELLO_OK) throw new MalformedError('no answer to the greeting');
    const { bootId, generation } = decodeHelloOk(frame.payload);
    const isSame = bootId === this.hello.bootId && generation === this.hello.generation;
    if (!isSame) throw new MalformedError('another answer to the second greeting than to the first');
    this.#isConfirmed = true;
  }

  #dispatch(frame: Frame): void {
    if (this.#end) return;
    if (!this.#isConfirmed) {
      this.#confirm(frame);
      return;
    }
    if (frame.channel === CONTROL_CHANNEL) {
      this.#control(frame);
      return;
    }
    const channel = this.#channels.get(frame.channel);
    if (channel) channel.receive(frame);
    else if (frame.channel > this.#lastChannel)
      throw new MalformedError('a frame for a channel that was never open');
  }

  #control(frame: Frame): void {
    if (frame.type !== FrameType.PONG)
      throw new MalformedError(`${frameTypeName(frame.type)} on the control channel`);
    this.#pings.answer(frame.payload);
  }

  #assertOpen(): void {
    if (this.#end) throw this.#end.error;
  }

  #finish(error: UserError | undefined): void {
    if (this.#end) return;
    this.#end = { error: error ?? linkLostError() };
    this.#log.debug({ error: error?.message }, 'guest session over');
    this.#stream.destroy();
    this.#pings.abandon(this.#end.error);
    for (const channel of [...this.#channels.values()]) channel.abandon(this.#end.error);
    this.#settleClosed(error);
  }
}

function unsupported(hello: AgentHello): UserError {
  const { lowestGeneration, highestGeneration, agentVersion } = hello;
  return new UserError(
    'GUEST_PROTOCOL_UNSUPPORTED',
    `Cannot talk to the guest: its agent ${agentVersion} speaks generations ${lowestGeneration} to ${highestGeneration} of the guest protocol`,
    {
      hint: 'restart the VM to give it the agent of this build',
      details: { lowestGeneration, highestGeneration },
    },
  );
}
