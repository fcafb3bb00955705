import { formatSize } from '#base/sizes.ts';
import { formatElapsed } from '../elapsed.ts';
import { printable } from './printable.ts';
import type { Style } from './style.ts';
import { TransferRate } from './transfer-rate.ts';

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
/** Logs get a line no oftener; work that is done before gets none. */
const PLAIN_PROGRESS_MS = 10_000;

/** Shows where an operation is: on a terminal one line that is rewritten, elsewhere a line for each step, and some for a long download. */
export class StageDisplay implements Disposable {
  readonly #stream: StageScreen;
  readonly #style: Style;
  readonly #now: () => number;
  readonly #startedAt: number;
  #current: StageUpdate | undefined;
  #stageStartedAt = 0;
  /** While bytes come. */
  #rate: TransferRate | undefined;
  #progressSaidAt = 0;
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
    this.#measure(update, isNew);
    if (this.#stream.isTTY) return this.#animate();
    if (isNew || before?.detail !== update.detail) this.#writePlain(update);
    if (before?.progress?.done !== update.progress?.done) this.#writePlainProgress(update);
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

  #measure({ progress }: StageUpdate, isNew: boolean): void {
    if (isNew || progress?.unit !== 'bytes') this.#rate = undefined;
    if (progress?.unit !== 'bytes') return;
    if (!this.#rate) this.#progressSaidAt = this.#now();
    this.#rate ??= new TransferRate();
    this.#rate.take(progress.done, this.#now());
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
    const line = `  ${label(this.#current)} ${elapsed}${this.#suffix(this.#current)}`;
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

  #writePlainProgress(update: StageUpdate): void {
    const now = this.#now();
    if (!this.#rate || now - this.#progressSaidAt < PLAIN_PROGRESS_MS) return;
    this.#progressSaidAt = now;
    this.#stream.print(`  ${label(update)}: ${this.#formatProgress(update.progress)}\n`);
  }

  #suffix({ detail, progress }: StageUpdate): string {
    const parts = [
      detail === undefined ? '' : printable(detail).replaceAll('\n', ' '),
      this.#formatProgress(progress),
    ];
    return parts
      .filter((part) => part !== '')
      .map((part) => `  ${part}`)
      .join('');
  }

  #formatProgress(progress: StageUpdate['progress']): string {
    const isWhole = progress?.total !== undefined && progress.done >= progress.total;
    const rate = isWhole ? undefined : this.#rate?.bytesPerSecond(this.#now());
    return `${formatProgress(progress)}${rate === undefined ? '' : `, ${formatSize(Math.round(rate))}/s`}`;
  }
}

function label(update: StageUpdate): string {
  return printable(update.stage).replaceAll('-', ' ');
}

function formatProgress(progress: StageUpdate['progress']): string {
  if (!progress) return '';
  const show = (count: number) => (progress.unit === 'bytes' ? formatSize(count) : String(count));
  if (!progress.total) return show(progress.done);
  const percent = Math.min(100, Math.floor((progress.done / progress.total) * 100));
  return `${percent}% of ${show(progress.total)}`;
}
