import { duplexPair } from 'node:stream';
import type { Duplex } from 'node:stream';
import { FrameDecoder } from '#contract/guest/frame-decoder.ts';
import { CONTROL_CHANNEL, encodeFrame, FrameType } from '#contract/guest/frames.ts';
import type { Frame, OutgoingFrame } from '#contract/guest/frames.ts';
import { decodeHello, encodeHelloOk } from '#contract/guest/hello.ts';
import { newFakeGuestState } from './fake-guest-state.ts';

/** The guest's end of a link that greets properly and then does whatever a test wants, right or wrong. */
export class ScriptedGuest {
  /** For the host. */
  readonly hostEnd: Duplex;
  readonly stream: Duplex;
  /** What the host sent, greetings left out; payloads are copies. */
  readonly received: Frame[] = [];
  /** Answers frames; undefined keeps silent. */
  onFrame: ((frame: Frame) => void) | undefined;
  /** Answers greetings; a test may replace it. */
  onHello: (nonce: Uint8Array) => void = (nonce) => {
    this.sendBytes(nonce);
    this.send({ type: FrameType.HELLO_OK, channel: CONTROL_CHANNEL, payload: encodeHelloOk(this.hello) });
  };
  hello = newFakeGuestState().hello;

  constructor(onFrame?: (frame: Frame, guest: ScriptedGuest) => void) {
    if (onFrame) this.onFrame = (frame) => onFrame(frame, this);
    [this.hostEnd, this.stream] = duplexPair();
    const decoder = new FrameDecoder({ dropCutFrames: true });
    this.stream.on('data', (chunk: Uint8Array) => decoder.push(chunk, (frame) => this.#take(frame)));
    this.stream.on('error', () => {});
  }

  send(frame: OutgoingFrame): void {
    for (const part of encodeFrame(frame)) this.sendBytes(part);
  }

  sendBytes(bytes: Uint8Array): void {
    if (!this.stream.destroyed) this.stream.write(bytes);
  }

  /** What the host sent of one type, in order. */
  receivedOf(type: FrameType): Frame[] {
    return this.received.filter((frame) => frame.type === type);
  }

  #take(frame: Frame): void {
    if (frame.type === FrameType.HELLO) {
      this.onHello(decodeHello(frame.payload).nonce.slice());
      return;
    }
    const kept = { ...frame, payload: Uint8Array.from(frame.payload) };
    this.received.push(kept);
    this.onFrame?.(kept);
  }
}
