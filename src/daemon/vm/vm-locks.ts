import type { Abortable } from '#base/abort.ts';

/** One lock for each key, taken in the order in which it was asked for. */
export class KeyedLocks {
  readonly #tails = new Map<string, Promise<void>>();

  /** Runs `body` while holding the lock of `key`. A waiter whose signal aborts leaves the queue. */
  async run<T>(key: string, body: () => Promise<T>, { signal }: Abortable = {}): Promise<T> {
    const release = await this.#acquire(key, signal);
    try {
      return await body();
    } finally {
      release();
    }
  }

  isHeld(key: string): boolean {
    return this.#tails.has(key);
  }

  async #acquire(key: string, signal: AbortSignal | undefined): Promise<() => void> {
    signal?.throwIfAborted();
    const before = this.#tails.get(key) ?? Promise.resolve();
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const tail = before.then(() => released);
    this.#tails.set(key, tail);
    void tail.then(() => {
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    });
    try {
      await settleOrAbort(before, signal);
    } catch (error) {
      release();
      throw error;
    }
    return release;
  }
}

function settleOrAbort(turn: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (!signal) return turn;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    void turn.then(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
  });
}
