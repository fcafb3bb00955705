import type { Clock } from '#base/clock.ts';
import type { Operation } from '#contract/owner/operation.ts';

export type Change = Partial<Pick<Operation, 'vm' | 'stage' | 'detail' | 'progress'>>;
export type Outcome = Pick<Operation, 'status' | 'result' | 'error'>;

/** One operation as it is now. Each change makes a new snapshot and wakes all who wait for one. */
export class OperationRecord {
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();
  #snapshot: Operation;

  constructor(first: Operation, clock: Clock) {
    this.#snapshot = first;
    this.#clock = clock;
  }

  get snapshot(): Operation {
    return this.#snapshot;
  }

  get isFinal(): boolean {
    return this.#snapshot.status !== 'running';
  }

  /** After the end there is nothing to change: work that was left behind may still report progress. */
  change(change: Change): void {
    if (!this.isFinal) this.#publish({ ...this.#snapshot, ...change });
  }

  enterStage(stage: string, detail: string | undefined): void {
    if (this.isFinal) return;
    const { detail: _detail, progress: _progress, ...kept } = this.#snapshot;
    this.#publish({ ...kept, stage, ...(detail === undefined ? {} : { detail }) });
  }

  finish(outcome: Outcome): void {
    const finishedAt = new Date(this.#clock.now()).toISOString();
    this.#publish({ ...this.#snapshot, ...outcome, finishedAt });
  }

  /** The snapshot of now, then the newest each time the reader is ready for it, until the final one. */
  async *snapshots(signal: AbortSignal | undefined): AsyncGenerator<Operation, void, undefined> {
    let seen: Operation | undefined;
    while (seen === undefined || seen.status === 'running') {
      signal?.throwIfAborted();
      if (seen === this.#snapshot) await this.#nextChange(signal);
      seen = this.#snapshot;
      yield seen;
    }
  }

  #nextChange(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        this.#waiting.delete(onChange);
        signal?.removeEventListener('abort', onAbort);
        act();
      };
      const onChange = () => settle(resolve);
      const onAbort = () => settle(() => reject(signal?.reason as Error));
      this.#waiting.add(onChange);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  #publish(snapshot: Operation): void {
    this.#snapshot = snapshot;
    for (const wake of [...this.#waiting]) wake();
  }
}
