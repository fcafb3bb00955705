import type { WriteStream } from 'node:tty';

const MARGIN = 12; // room for the elapsed time

/**
 * Tells what set-up is doing: one line that keeps moving on a terminal, a line at the start and one at the
 * end elsewhere. Nothing at all as long as no stage begins.
 */
export class Stages {
  readonly #out: WriteStream;
  #current: { title: string; startedMs: number; detail: string; ticker: NodeJS.Timeout } | undefined;

  constructor(out: WriteStream) {
    this.#out = out;
  }

  async run<T>(title: string, action: () => Promise<T>): Promise<T> {
    const ticker = setInterval(() => this.#draw(), 100).unref();
    this.#current = { title, startedMs: performance.now(), detail: '', ticker };
    if (!this.#out.isTTY) this.#out.write(`set-up: ${title} ...\n`);
    this.#draw();
    const result = await action();
    this.#end('done in');
    return result;
  }

  /** What the stage is at; shown on a terminal only. */
  detail(text: string): void {
    if (this.#current) this.#current.detail = text;
  }

  /** Clears the line, for a question on the terminal. */
  pause(): void {
    if (this.#out.isTTY) this.#out.write('\r\x1b[K');
  }

  fail(): void {
    this.#end('failed after');
  }

  #draw(): void {
    const stage = this.#current;
    if (!stage || !this.#out.isTTY) return;
    const elapsed = `${((performance.now() - stage.startedMs) / 1000).toFixed(1)} s`;
    const text = `set-up: ${stage.title}${stage.detail && `: ${stage.detail}`}`;
    this.#out.write(`\r\x1b[K${text.slice(0, this.#out.columns - MARGIN)} ${elapsed}`);
  }

  #end(outcome: string): void {
    const stage = this.#current;
    if (!stage) return;
    clearInterval(stage.ticker);
    this.#current = undefined;
    const elapsed = ((performance.now() - stage.startedMs) / 1000).toFixed(1);
    this.pause();
    this.#out.write(`set-up: ${stage.title} ${outcome} ${elapsed} s\n`);
  }
}
