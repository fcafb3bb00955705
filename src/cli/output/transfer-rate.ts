const WINDOW_MS = 5000;
const MIN_SPAN_MS = 500;
const SAMPLE_MS = 100;
/** What was here before a download begins is counted within its first moments, at a speed that is nobody's. */
const SETTLE_MS = 250;

interface Sample {
  ms: number;
  bytes: number;
}

/** How fast bytes came in the last few seconds. */
export class TransferRate {
  /** Oldest first: where the window begins, then no more than one for each tenth of a second. */
  #samples: Sample[] = [];
  #latest: Sample | undefined;
  #beganMs = 0;

  /** So many bytes are here now. Fewer than before are a new beginning. */
  take(bytes: number, ms: number): void {
    if (bytes === this.#latest?.bytes) return;
    if (!this.#latest || bytes < this.#latest.bytes) {
      this.#samples = [];
      this.#beganMs = ms;
    }
    this.#latest = { ms, bytes };
    if (ms - this.#beganMs < SETTLE_MS) this.#samples = [this.#latest];
    else if (ms - (this.#samples.at(-1)?.ms ?? 0) >= SAMPLE_MS) this.#samples.push(this.#latest);
    this.#forget(ms);
  }

  /** Undefined as long as too little is known. */
  bytesPerSecond(nowMs: number): number | undefined {
    if (!this.#latest) return undefined;
    if (nowMs - this.#latest.ms >= WINDOW_MS) return 0;
    this.#forget(nowMs);
    const [first] = this.#samples;
    if (!first || first.ms === this.#latest.ms || nowMs - first.ms < MIN_SPAN_MS) return undefined;
    const spanMs = Math.min(nowMs - first.ms, WINDOW_MS + SAMPLE_MS); // older samples stand before a pause
    return ((this.#latest.bytes - first.bytes) * 1000) / spanMs;
  }

  /** Keeps one sample from before the window: the window's first bytes are counted from it. */
  #forget(nowMs: number): void {
    const firstWithin = this.#samples.findIndex(({ ms }) => ms > nowMs - WINDOW_MS);
    if (firstWithin > 1) this.#samples.splice(0, firstWithin - 1);
  }
}
