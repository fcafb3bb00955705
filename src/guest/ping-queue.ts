import type { UserError } from '#contract/errors.ts';
import { MalformedError } from '#contract/guest/malformed.ts';
import { notAnsweringError } from './guest-errors.ts';

/** A guest that owes this many answers gets no further question. */
const MAX_OUTSTANDING = 64;

interface Outstanding {
  payload: Uint8Array;
  sentAtMs: number;
  resolve: (roundTripMs: number) => void;
  reject: (error: UserError) => void;
}

/** Pings on their way. The guest answers in order. */
export class PingQueue {
  readonly #outstanding: Outstanding[] = [];
  #next = 0;

  /**
   * Asks with `send` and resolves with the round trip in milliseconds.
   *
   * @throws UserError `GUEST_NOT_ANSWERING` when too many are on their way
   */
  ask(send: (payload: Uint8Array) => void): Promise<number> {
    if (this.#outstanding.length >= MAX_OUTSTANDING)
      return Promise.reject(notAnsweringError('reach the guest'));
    return new Promise((resolve, reject) => {
      const payload = new Uint8Array(4);
      new DataView(payload.buffer).setUint32(0, (this.#next += 1), true);
      this.#outstanding.push({ payload, sentAtMs: performance.now(), resolve, reject });
      send(payload);
    });
  }

  /** @throws MalformedError when it is not the answer to the oldest question */
  answer(payload: Uint8Array): void {
    const oldest = this.#outstanding.shift();
    const isAnswer =
      oldest?.payload.length === payload.length &&
      oldest.payload.every((byte, index) => byte === payload[index]);
    if (!oldest || !isAnswer) {
      if (oldest) this.#outstanding.unshift(oldest);
      throw new MalformedError('PONG without its PING');
    }
    oldest.resolve(performance.now() - oldest.sentAtMs);
  }

  abandon(error: UserError): void {
    for (const { reject } of this.#outstanding.splice(0)) reject(error);
  }
}
