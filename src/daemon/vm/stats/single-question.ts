import { isTimeout, raceAbort, withTimeout, type Abortable } from '#base/abort.ts';

export interface SingleQuestionOptions<T> {
  ask: () => Promise<T>;
  /** How long after it was asked anybody waits. */
  patienceMs: number;
}

/**
 * One question at a time to somebody who may never answer. Who asks while it is open waits for the same answer, so questions do
 * not pile up; once it is overdue nobody waits any more, until the answer comes.
 */
export class SingleQuestion<T> {
  readonly #options: SingleQuestionOptions<T>;
  #open: { answer: Promise<T>; overdueAt: number } | undefined;

  constructor(options: SingleQuestionOptions<T>) {
    this.#options = options;
  }

  /** Undefined when there is no answer in time. Rejects with what the question rejects with, or the signal's reason. */
  async answer({ signal }: Abortable = {}): Promise<T | undefined> {
    this.#open ??= this.#begin();
    const { answer, overdueAt } = this.#open;
    const leftMs = Math.max(0, Math.ceil(overdueAt - performance.now()));
    try {
      return await raceAbort(answer, withTimeout(leftMs, signal));
    } catch (error) {
      signal?.throwIfAborted();
      if (isTimeout(error)) return undefined;
      throw error;
    }
  }

  #begin(): { answer: Promise<T>; overdueAt: number } {
    const answer = this.#options.ask();
    const settle = () => {
      this.#open = undefined;
    };
    answer.then(settle, settle);
    return { answer, overdueAt: performance.now() + this.#options.patienceMs };
  }
}
