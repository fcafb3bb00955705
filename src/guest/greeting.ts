import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { Abortable } from '#base/abort.ts';
import type { Clock } from '#base/clock.ts';
import { FrameDecoder } from '#contract/guest/frame-decoder.ts';
import { CONTROL_CHANNEL, encodeFrame, FrameType } from '#contract/guest/frames.ts';
import type { Frame } from '#contract/guest/frames.ts';
import {
  decodeHelloOk,
  encodeHello,
  HIGHEST_GENERATION,
  LOWEST_GENERATION,
  MAX_DISCARDED_BYTES,
  MAX_ENTROPY_BYTES,
  NONCE_BYTES,
  RESYNC_ZEROS,
} from '#contract/guest/hello.ts';
import type { AgentHello } from '#contract/guest/hello.ts';
import { MalformedError } from '#contract/guest/malformed.ts';
import { linkLostError, protocolError } from './guest-errors.ts';
import { NonceScanner } from './nonce-scanner.ts';

/**
 * QEMU keeps what the host sends in the socket until the guest opens its port, so one greeting is enough for a guest that still boots.
 * It can only be lost in a guest that takes it and dies before it answers: for that it is repeated, ever more rarely, because
 * the repeats queue up too.
 */
const FIRST_REPEAT_MS = 3000;

interface GreeterOptions {
  clock: Clock;
  /** Nobody has sent this guest anything before. */
  isFirstHost: boolean;
}

type GreetOptions = GreeterOptions & Abortable;

/** What the agent said of itself, and the greeting that brought it the clock, whose answer is still to come. */
export interface Greeted {
  hello: AgentHello;
  /** Undefined when there is no common generation, and so no second greeting. */
  confirmation: NonceScanner | undefined;
}

/**
 * Begins a session on a stream in any state: what an older host left half-written is completed and discarded, and so is
 * what the guest had queued for it. Afterwards the stream is at a frame boundary, paused, and without listeners of this function.
 * The next bytes on it are the answer to the greeting with the clock; nobody has to wait for it to say more.
 *
 * @throws UserError `GUEST_PROTOCOL`, `GUEST_LINK_LOST`; the signal's reason
 */
export function greet(stream: Duplex, { clock, isFirstHost, signal }: GreetOptions): Promise<Greeted> {
  return new Promise((resolve, reject) => {
    const greeter = new Greeter(stream, { clock, isFirstHost }, (outcome) => {
      signal?.removeEventListener('abort', onAbort);
      if ('hello' in outcome) resolve(outcome);
      else reject(outcome.error);
    });
    const onAbort = () => greeter.stop({ error: signal?.reason });
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted) onAbort();
    else greeter.begin();
  });
}

type Outcome = Greeted | { error: unknown };

class Greeter {
  readonly #stream: Duplex;
  readonly #options: GreeterOptions;
  readonly #done: (outcome: Outcome) => void;
  readonly #onData = (chunk: Uint8Array) => this.#receive(chunk);
  readonly #onError = (error: Error) => this.stop({ error: linkLostError(error) });
  readonly #onClose = () => this.stop({ error: linkLostError() });
  #scanner: NonceScanner | undefined;
  #decoder = new FrameDecoder();
  #hello: AgentHello | undefined;
  #discarded = 0;
  #repeated = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(stream: Duplex, options: GreeterOptions, done: (outcome: Outcome) => void) {
    this.#stream = stream;
    this.#options = options;
    this.#done = done;
  }

  begin(): void {
    this.#stream.on('data', this.#onData).on('error', this.#onError);
    this.#stream.on('end', this.#onClose).on('close', this.#onClose);
    this.#resynchronise();
  }

  stop(outcome: Outcome): void {
    clearTimeout(this.#timer);
    this.#stream.off('data', this.#onData).off('error', this.#onError);
    this.#stream.off('end', this.#onClose).off('close', this.#onClose);
    this.#stream.pause();
    this.#done(outcome);
  }

  #resynchronise(): void {
    // What the socket has not taken yet will be said in time: a repeat would only queue behind it.
    if (this.#repeated === 0 || this.#stream.writableLength === 0) {
      // There is nothing to complete yet, and an emulated guest that has just booted takes 5 ms to read them.
      const isNew = this.#options.isFirstHost && this.#repeated === 0;
      if (!isNew) this.#stream.write(new Uint8Array(RESYNC_ZEROS));
      this.#sayHello(undefined);
    }
    this.#timer = setTimeout(() => this.#resynchronise(), FIRST_REPEAT_MS * 2 ** this.#repeated);
    this.#repeated += 1;
  }

  /**
   * Each greeting has its own nonce, so that the answer to an earlier one is not taken for the last one's. The first one may lie
   * in the socket while the guest boots, and would set its clock back by as much: the clock comes with the second, to an agent that listens.
   */
  #sayHello(nowMs: number | undefined): void {
    const nonce = randomBytes(NONCE_BYTES);
    this.#scanner = new NonceScanner(nonce);
    this.#decoder = new FrameDecoder();
    const payload = encodeHello({
      nonce,
      lowestGeneration: LOWEST_GENERATION,
      highestGeneration: HIGHEST_GENERATION,
      ...(nowMs !== undefined && { wallClockNs: BigInt(nowMs) * 1_000_000n }),
      entropy: randomBytes(MAX_ENTROPY_BYTES),
    });
    for (const part of encodeFrame({ type: FrameType.HELLO, channel: CONTROL_CHANNEL, payload })) {
      this.#stream.write(part);
    }
  }

  #receive(chunk: Uint8Array): void {
    try {
      const frames = this.#afterNonce(chunk);
      if (frames) this.#decoder.push(frames, (frame) => this.#take(frame));
      if (this.#hello) this.#conclude(this.#hello);
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
      this.stop({ error: protocolError(error) });
    }
  }

  #afterNonce(chunk: Uint8Array): Uint8Array | undefined {
    if (!this.#scanner) return chunk;
    const frames = this.#scanner.push(chunk);
    if (frames) {
      this.#scanner = undefined;
      return frames;
    }
    this.#discarded += chunk.length;
    if (this.#discarded > MAX_DISCARDED_BYTES) {
      throw new MalformedError(`${this.#discarded} bytes instead of an answer to the greeting`);
    }
    return undefined;
  }

  #take(frame: Frame): void {
    if (frame.type !== FrameType.HELLO_OK || this.#hello)
      throw new MalformedError('frames that nobody asked for');
    this.#hello = decodeHelloOk(frame.payload);
  }

  #conclude(hello: AgentHello): void {
    if (!this.#decoder.atBoundary) throw new MalformedError('frames that nobody asked for');
    const isUnderstood = hello.generation !== 0;
    if (isUnderstood) this.#sayHello(this.#options.clock.now());
    this.stop({ hello, confirmation: isUnderstood ? this.#scanner : undefined });
  }
}
