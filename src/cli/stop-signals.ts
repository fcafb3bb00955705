import { Interruption } from './interruption.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
export type StopSignal = (typeof SIGNALS)[number];

/** `count` says the how-manieth signal it is for this handler. */
export type StopHandler = (signal: StopSignal, count: number) => void;

/**
 * Takes the signals that ask this process to stop, from its making until it is disposed, for commands that must clean up.
 * One handler at a time has them; what comes while there is none waits for the next.
 */
export class StopSignals implements Disposable {
  readonly #source: NodeJS.EventEmitter;
  #handler: StopHandler | undefined;
  #count = 0;
  #waiting: StopSignal[] = [];

  constructor(source: NodeJS.EventEmitter = process) {
    this.#source = source;
    for (const signal of SIGNALS) source.on(signal, this.#take);
  }

  /** Gives the signals to `handler` until the answer is disposed. */
  handle(handler: StopHandler): Disposable {
    this.#handler = handler;
    this.#count = 0;
    for (const signal of this.#waiting.splice(0)) this.#take(signal);
    return {
      [Symbol.dispose]: () => {
        if (this.#handler === handler) this.#handler = undefined;
      },
    };
  }

  /** For the next handler: this one could do nothing with it. */
  putBack(signal: StopSignal): void {
    this.#waiting.push(signal);
  }

  /** @throws Interruption when a signal came that no handler took */
  throwIfWaiting(): void {
    const signal = this.#waiting.shift();
    if (signal !== undefined) throw new Interruption(signal);
  }

  [Symbol.dispose](): void {
    for (const signal of SIGNALS) this.#source.removeListener(signal, this.#take);
  }

  readonly #take = (signal: StopSignal): void => {
    if (!this.#handler) {
      this.#waiting.push(signal);
      return;
    }
    this.#count += 1;
    this.#handler(signal, this.#count);
  };
}
