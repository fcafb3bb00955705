import type { ProgressReporter } from '#base/progress.ts';
import type { Descriptor } from './descriptor.ts';

/** Reports oftener than people look cost more than they tell. */
const INTERVAL_MS = 100;

/** Adds up how much of several blobs is here. */
export class PullProgress {
  readonly #report: ProgressReporter | undefined;
  readonly #bytes = new Map<string, number>();
  readonly #total: number;
  #reportedMs = Number.NEGATIVE_INFINITY;

  constructor(blobs: readonly Descriptor[], report: ProgressReporter | undefined) {
    this.#report = report;
    this.#total = blobs.reduce((sum, { size }) => sum + size, 0);
  }

  /** `bytes` of this blob are here, also when that is fewer than before. */
  set(digest: string, bytes: number): void {
    this.#bytes.set(digest, bytes);
    const done = this.#bytes.values().reduce((sum, part) => sum + part, 0);
    const nowMs = performance.now();
    if (done < this.#total && nowMs - this.#reportedMs < INTERVAL_MS) return;
    this.#reportedMs = nowMs;
    this.#report?.progress(done, this.#total, 'bytes');
  }
}
