import { Writable } from 'node:stream';
import { INITIAL_CREDIT_BYTES, MAX_DATA_BYTES } from '#contract/guest/flow-control.ts';

/** Where the input goes: the session's frames. */
export interface InputSink {
  data(payload: Uint8Array): void;
  eof(): void;
}

/** The command's standard input. A write is done when the guest has given credit for all of it. */
export class ExecInput {
  readonly writable: Writable;
  #sink: InputSink;
  #credit = INITIAL_CREDIT_BYTES;
  #rest: Uint8Array = new Uint8Array(0);
  #done: ((error?: Error | null) => void) | undefined;

  constructor(sink: InputSink) {
    this.#sink = sink;
    this.writable = new Writable({
      highWaterMark: INITIAL_CREDIT_BYTES / 4,
      write: (chunk: Uint8Array, _encoding, done) => {
        this.#rest = chunk;
        this.#done = done;
        this.#send();
      },
      final: (done) => {
        this.#sink.eof();
        done();
      },
    });
    // How the command was lost is told by wait(); whoever listens here is told too.
    this.writable.on('error', () => {});
  }

  /** The guest was told already that there is none. */
  endSilently(): void {
    this.#sink = { data: () => {}, eof: () => {} };
    this.writable.end();
  }

  grant(bytes: number): void {
    this.#credit += bytes;
    this.#send();
  }

  /** The command has ended or was left: later writes go nowhere, as into a pipe that nobody reads, but without an error. */
  close(): void {
    this.writable.destroy();
  }

  #send(): void {
    while (this.#rest.length > 0 && this.#credit > 0) {
      const payload = this.#rest.subarray(0, Math.min(MAX_DATA_BYTES, this.#credit));
      this.#rest = this.#rest.subarray(payload.length);
      this.#credit -= payload.length;
      this.#sink.data(payload);
    }
    if (this.#rest.length > 0) return;
    const done = this.#done;
    this.#done = undefined;
    done?.();
  }
}
