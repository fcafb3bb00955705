import type { Logger } from '#base/log.ts';

export interface TickerOptions {
  /** Names the work in the log. */
  name: string;
  /** From the end of one run to the beginning of the next. */
  intervalMs: number;
  /** One run. Its signal aborts when the ticker closes. */
  body: (options: { signal: AbortSignal }) => Promise<void> | void;
  log: Logger;
}

/** Background work that comes round: begins with itself, never overlaps itself, outlives its failures, ends when it is closed. */
export class Ticker {
  readonly #options: TickerOptions;
  readonly #stop = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;

  /** The first run is one interval away. */
  constructor(options: TickerOptions) {
    this.#options = options;
    this.#schedule();
  }

  /** No more runs; resolves when the one that is under way has ended. Idempotent. */
  async close(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#timer);
    await this.#running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #schedule(): void {
    this.#timer = setTimeout(() => {
      this.#running = this.#run();
    }, this.#options.intervalMs);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    const { name, body, log } = this.#options;
    try {
      await body({ signal });
    } catch (error) {
      // The next round may go better; what is in the error is for whoever reads the log.
      if (!signal.aborted) log.error({ ticker: name, err: error }, 'background work failed');
    }
    if (!signal.aborted) this.#schedule();
  }
}
