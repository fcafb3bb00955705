import type { Duplex } from 'node:stream';
import type { Logger } from '#base/log.ts';
import { countYoungBuffer } from '#base/young-buffers.ts';
import { UserError } from '#contract/errors.ts';
import { decodeExecResult } from '#contract/guest/exec-messages.ts';
import {
  decodeCredit,
  decodeResize,
  decodeSignal,
  encodeCredit,
  GuestStream,
} from '#contract/guest/flow-control.ts';
import { FrameDecoder } from '#contract/guest/frame-decoder.ts';
import { type Frame, FrameType, frameTypeName } from '#contract/guest/frames.ts';
import { decodeGuestFailure } from '#contract/guest/guest-error.ts';
import { decodeLost } from '#contract/guest/lost.ts';
import { MalformedError } from '#contract/guest/malformed.ts';
import { EXEC_CHANNEL } from '#contract/owner/exec-protocol.ts';
import type { AgentClient } from '#guest/agent-client.ts';
import type { ChannelFrame, RawChannel } from '#guest/channel.ts';
import { FrameWriter } from '#guest/frame-writer.ts';
import { AnswerWatch } from './answer-watch.ts';
import { answerError } from './api-error.ts';
import { CreditGate } from './credit-gate.ts';
import type { RelayedOperation } from './relayed-operation.ts';

export interface ExecRelayOptions {
  socket: Duplex;
  agent: Pick<AgentClient, 'openChannel' | 'ping'>;
  operation: RelayedOperation;
  log: Logger;
}

/**
 * Joins one client's socket to one channel of a guest. Frames pass as they are but for the channel's number and the four that carry JSON
 * towards the client; nothing is buffered but what the credit of the two ends allows.
 */
export class ExecRelay {
  readonly #socket: Duplex;
  readonly #agent: ExecRelayOptions['agent'];
  readonly #operation: RelayedOperation;
  readonly #log: Logger;
  readonly #toClient: FrameWriter;
  readonly #decoder = new FrameDecoder();
  readonly #gates = new Map<number, CreditGate>([
    [GuestStream.OUTPUT, new CreditGate()],
    [GuestStream.ERRORS, new CreditGate()],
  ]);
  #channel: RawChannel | undefined;
  /** Until the guest has said something of the command. */
  #answer: AnswerWatch | undefined;
  #action = 'run a command';
  #ended = false;

  constructor({ socket, agent, operation, log }: ExecRelayOptions) {
    this.#socket = socket;
    this.#agent = agent;
    this.#operation = operation;
    this.#log = log;
    this.#toClient = new FrameWriter(socket);
  }

  /** `head`: what came with the request. */
  begin(head: Uint8Array): void {
    this.#socket.on('data', (chunk: Uint8Array) => this.#fromClient(chunk));
    this.#socket.on('drain', () => this.#releaseCredit());
    this.#socket.on('end', () => this.#clientGone());
    this.#socket.on('close', () => this.#clientGone());
    if (head.length > 0) this.#fromClient(head);
  }

  #fromClient(chunk: Uint8Array): void {
    if (this.#ended) return;
    countYoungBuffer(chunk.length);
    try {
      this.#decoder.push(chunk, (frame) => this.#takeFromClient(frame));
    } catch (error) {
      this.#fail(error instanceof MalformedError ? refusal(error.message) : error);
    }
    this.#waitForGuest();
  }

  /** A client that sends faster than the link takes would otherwise delay the other channels by a window. */
  #waitForGuest(): void {
    if (this.#ended || !this.#channel || this.#channel.isWritable || this.#socket.isPaused()) return;
    this.#socket.pause();
    this.#channel.onWritable(() => this.#socket.resume());
  }

  /** The payload of what is passed on was checked: a frame that the guest cannot read would end the session of all. */
  #takeFromClient(frame: Frame): void {
    if (this.#ended) return;
    if (frame.channel !== EXEC_CHANNEL) throw refusal(`a frame for channel ${frame.channel}`);
    const { type, stream, payload } = frame;
    if (!this.#channel) {
      if (type !== FrameType.OPEN) throw refusal(`${frameTypeName(type)} before OPEN`);
      this.#channel = this.#open(payload);
      return;
    }
    switch (type) {
      case FrameType.DATA:
        if (payload.length > 0) this.#channel.send({ type, stream, payload });
        return;
      case FrameType.EOF:
        this.#channel.send({ type, stream: GuestStream.INPUT });
        return;
      case FrameType.CREDIT:
        this.#gates.get(stream)?.grant(decodeCredit(payload));
        this.#releaseCredit();
        return;
      case FrameType.RESIZE:
        decodeResize(payload);
        this.#channel.send({ type, payload });
        return;
      case FrameType.SIGNAL:
        decodeSignal(payload);
        this.#channel.send({ type, payload });
        return;
      case FrameType.CLOSE:
        this.#clientGone();
        return;
      default:
        throw refusal(frameTypeName(type));
    }
  }

  #open(payload: Uint8Array): RawChannel {
    const { action, open } = this.#operation.translateOpen(payload);
    this.#action = action;
    this.#answer = new AnswerWatch({ agent: this.#agent, onSilence: (error) => this.#fail(error) });
    return this.#agent.openChannel(open, {
      onFrame: (frame) => this.#fromGuest(frame),
      onEnd: (error) => {
        if (error) this.#fail(error);
        this.#end();
      },
    });
  }

  /** @throws MalformedError, which the session with the guest answers by its end */
  #fromGuest(frame: Frame): void {
    const { type, stream, payload } = frame;
    this.#answer?.end();
    switch (type) {
      case FrameType.OPENED:
        this.#send({ type, payload: encodeJson(this.#operation.translateOpened(payload)) });
        return;
      case FrameType.RESULT:
        this.#send({ type, payload: encodeJson(decodeExecResult(payload)) });
        return;
      case FrameType.ERROR:
        this.#fail(this.#operation.toError(this.#action, decodeGuestFailure(payload)));
        return;
      case FrameType.LOST:
        decodeLost(payload);
        this.#send({ type, payload });
        return;
      case FrameType.DATA:
        this.#gates.get(stream)?.use(payload.length);
        this.#send({ type, stream, payload });
        this.#releaseCredit();
        return;
      default:
        this.#send({ type, stream, payload });
    }
  }

  /** Passes on what the client granted, unless it does not read what it has got so far. */
  #releaseCredit(): void {
    if (!this.#channel || !this.#toClient.isWritable) return;
    for (const [stream, gate] of this.#gates) {
      const bytes = gate.release();
      if (bytes > 0) this.#channel.send({ type: FrameType.CREDIT, stream, payload: encodeCredit(bytes) });
    }
  }

  #send(frame: ChannelFrame): void {
    if (!this.#ended) this.#toClient.write({ ...frame, channel: EXEC_CHANNEL });
  }

  #fail(error: unknown): void {
    if (this.#ended) return;
    const { body, isBug } = answerError(error, 'exec');
    if (isBug) this.#log.error({ err: error }, 'unexpected error');
    this.#send({ type: FrameType.ERROR, payload: encodeJson(body) });
    this.#end();
  }

  #clientGone(): void {
    this.#end();
    this.#socket.destroy();
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#answer?.end();
    this.#channel?.close();
    // What was written goes out first; a client that does not read it keeps nothing but its own connection.
    this.#socket.resume();
    process.nextTick(() => this.#socket.end());
  }
}

function encodeJson(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

function refusal(what: string): UserError {
  return new UserError('INVALID_ARGUMENT', `Cannot go on with the command: the client sent ${what}`);
}
