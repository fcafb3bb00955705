import { formatSize } from '#base/sizes.ts';
import { formatElapsed } from '../elapsed.ts';
import { printable } from './printable.ts';
import type { Style } from './style.ts';

/** Of an operation, what its display needs. */
export interface StageUpdate {
  stage: string;
  detail?: string | undefined;
  progress?: { done: number; total?: number | undefined; unit: 'bytes' | 'items' } | undefined;
}

/** Where a display draws. */
export interface StageScreen {
  readonly isTTY: boolean;
  readonly columns: number | undefined;
  print(text: string): void;
}

export interface StageDisplayOptions {
  stream: StageScreen;
  style: Style;
  /** Milliseconds, monotonic. */
  now?: () => number;
}

const REDRAW_MS = 100;

/** Shows where an operation is: on a terminal one line that is rewritten, elsewhere a line for each step. */
export class StageDisplay implements Disposable {
  readonly #stream: StageScreen;
  readonly #style: Style;
  readonly #now: () => number;
  readonly #startedAt: number;
  #current: StageUpdate | undefined;
  #stageStartedAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #isEnded = false;

  constructor({ stream, style, now = () => performance.now() }: StageDisplayOptions) {
    this.#stream = stream;
    this.#style = style;
    this.#now = now;
    this.#startedAt = now();
  }

  get elapsedMs(): number {
    return this.#now() - this.#startedAt;
  }

  update(update: StageUpdate): void {
    if (this.#isEnded) return;
    const before = this.#current;
    const isNew = before?.stage !== update.stage;
    if (isNew) this.#completeStage();
    if (isNew) this.#stageStartedAt = this.#now();
    this.#current = update;
    if (this.#stream.isTTY) this.#animate();
    else if (isNew || before?.detail !== update.detail) this.#writePlain(update);
  }

  /** Ends the display; what was shown stays. */
  finish(): void {
    this.#completeStage();
    this.#current = undefined;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Ends the display without calling the last step done. */
  [Symbol.dispose](): void {
    this.#isEnded = true;
    if (this.#current && this.#stream.isTTY) this.#stream.print('\r\u001b[2K');
    this.#current = undefined;
    clearInterval(this.#timer);
  }

  #animate(): void {
    this.#draw();
    if (this.#timer) return;
    this.#timer = setInterval(() => this.#draw(), REDRAW_MS);
    this.#timer.unref();
  }

  #draw(): void {
    if (!this.#current) return;
    const elapsed = formatElapsed(this.#now() - this.#stageStartedAt);
    const line = `  ${label(this.#current)} ${elapsed}${suffix(this.#current)}`;
    const width = Math.max(20, (this.#stream.columns ?? 80) - 1);
    this.#stream.print(`\r\u001b[2K${line.slice(0, width)}`);
  }

  #completeStage(): void {
    if (!this.#current || !this.#stream.isTTY) return;
    const elapsed = formatElapsed(this.#now() - this.#stageStartedAt);
    this.#stream.print(`\r\u001b[2K${this.#style.dim(`  ${label(this.#current)} ${elapsed}`)}\n`);
  }

  #writePlain(update: StageUpdate): void {
    const detail = update.detail === undefined ? '' : `: ${printable(update.detail)}`;
    this.#stream.print(`  ${label(update)}${detail}\n`);
  }
}

function label(update: StageUpdate): string {
  return printable(update.stage).replaceAll('-', ' ');
}

function suffix({ detail, progress }: StageUpdate): string {
  const parts = [
    detail === undefined ? '' : printable(detail).replaceAll('\n', ' '),
    formatProgress(progress),
  ];
  return parts
    .filter((part) => part !== '')
    .map((part) => `  ${part}`)
    .join('');
}

function formatProgress(progress: StageUpdate['progress']): string {
  if (!progress) return '';
  const show = (count: number) => (progress.unit === 'bytes' ? formatSize(count) : String(count));
  if (!progress.total) return show(progress.done);
  const percent = Math.min(100, Math.floor((progress.done / progress.total) * 100));
  return `${percent}% of ${show(progress.total)}`;
}
