import { MiB } from '#base/sizes.ts';

export interface IdleMemoryOptions {
  /** Whether somebody waits for something, and would wait for a collection too. */
  isBusy: () => boolean;
  heapBytes: () => number;
  /** Undefined when this runtime does not offer it. */
  collect: (() => void) | undefined;
}

/** Less than this is not worth the tens of milliseconds that a collection takes. */
const WORTHWHILE_BYTES = 4 * MiB;

/**
 * Gives memory back once nobody waits. The engine collects when a program asks for memory, so what a start or a burst left behind
 * would stay for as long as the daemon has nothing to do: 15 MiB of 95 after a start.
 */
export class IdleMemory {
  readonly #options: IdleMemoryOptions;
  #heapAfterLast = 0;
  #wasBusy = true;

  constructor(options: IdleMemoryOptions) {
    this.#options = options;
  }

  /** Collects when nothing was going on at this check and at the one before, and enough has come together. */
  check(): void {
    const { isBusy, heapBytes, collect } = this.#options;
    const wasBusy = this.#wasBusy;
    this.#wasBusy = isBusy();
    if (this.#wasBusy || wasBusy || heapBytes() - this.#heapAfterLast < WORTHWHILE_BYTES) return;
    collect?.();
    this.#heapAfterLast = heapBytes();
  }
}
