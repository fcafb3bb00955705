import type { Duplex } from 'node:stream';
import { decodeSignal } from '#contract/guest/flow-control.ts';
import { FrameDecoder } from '#contract/guest/frame-decoder.ts';
import { CONTROL_CHANNEL, FrameType } from '#contract/guest/frames.ts';
import type { Frame } from '#contract/guest/frames.ts';
import { decodeHello, encodeHelloOk } from '#contract/guest/hello.ts';
import { MalformedError } from '#contract/guest/malformed.ts';
import { FrameWriter } from '../frame-writer.ts';
import { FakeChannel, FakeFailure } from './fake-channel.ts';
import type { FakeGuestState } from './fake-guest-state.ts';
import { runFakeOperation } from './fake-operations.ts';

/** The guest's end of a link: speaks the protocol as the real agent does, over any stream. */
export class FakeAgent {
  readonly #stream: Duplex;
  readonly #state: FakeGuestState;
  readonly #writer: FrameWriter;
  readonly #decoder = new FrameDecoder({ dropCutFrames: true });
  readonly #channels = new Map<number, FakeChannel>();
  #open = false;

  constructor(stream: Duplex, state: FakeGuestState) {
    this.#stream = stream;
    this.#state = state;
    this.#writer = new FrameWriter(stream);
    stream.on('data', (chunk: Uint8Array) => this.#receive(chunk));
    stream.on('end', () => stream.destroy());
    stream.on('error', () => stream.destroy());
    stream.on('close', () => this.#endSession());
  }

  #receive(chunk: Uint8Array): void {
    try {
      this.#decoder.push(chunk, (frame) => this.#dispatch(frame));
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
      this.#stream.destroy();
    }
  }

  #dispatch(frame: Frame): void {
    if (frame.type === FrameType.HELLO) {
      this.#greet(frame);
      return;
    }
    if (!this.#open) return;
    if (frame.type === FrameType.PING) {
      this.#writer.write({ type: FrameType.PONG, channel: CONTROL_CHANNEL, payload: frame.payload.slice() });
    } else if (frame.type === FrameType.OPEN) {
      this.#begin(frame);
    } else {
      this.#toChannel(frame);
    }
  }

  #greet(frame: Frame): void {
    const hello = decodeHello(frame.payload);
    this.#endSession();
    this.#state.wallClockNs = hello.wallClockNs ?? this.#state.wallClockNs;
    const { generation } = this.#state.hello;
    this.#open = hello.lowestGeneration <= generation && generation <= hello.highestGeneration;
    this.#stream.write(hello.nonce.slice());
    const payload = encodeHelloOk({ ...this.#state.hello, generation: this.#open ? generation : 0 });
    this.#writer.write({ type: FrameType.HELLO_OK, channel: CONTROL_CHANNEL, payload });
  }

  #begin(frame: Frame): void {
    const channel = new FakeChannel(frame.channel, this.#writer);
    this.#channels.set(frame.channel, channel);
    void this.#run(channel, frame);
  }

  async #run(channel: FakeChannel, { channel: number, payload }: Frame): Promise<void> {
    try {
      await runFakeOperation(channel, payload.slice(), this.#state);
    } catch (error) {
      if (!(error instanceof FakeFailure)) throw error;
      channel.fail(error.code, error.message);
    }
    this.#channels.delete(number);
  }

  #toChannel(frame: Frame): void {
    const channel = this.#channels.get(frame.channel);
    if (!channel) return;
    if (frame.type === FrameType.SIGNAL) channel.onSignal(decodeSignal(frame.payload));
    else if (frame.type === FrameType.CLOSE) this.#close(frame.channel);
    else this.#feed(channel, frame);
  }

  #feed(channel: FakeChannel, frame: Frame): void {
    try {
      channel.receive(frame);
    } catch (error) {
      if (!(error instanceof FakeFailure)) throw error;
      channel.fail(error.code, error.message);
      this.#close(frame.channel);
    }
  }

  #close(number: number): void {
    this.#channels.get(number)?.close();
    this.#channels.delete(number);
  }

  #endSession(): void {
    this.#open = false;
    for (const number of [...this.#channels.keys()]) this.#close(number);
  }
}
