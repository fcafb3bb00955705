import type { Abortable } from '#base/abort.ts';
import type { ProgressReporter } from '#base/progress.ts';

/** Where a build tells how far it is; `stage` names the step for programs. */
export interface BuildReporter extends ProgressReporter {
  stage?: ((name: string, detail?: string) => void) | undefined;
}

export interface BuildOptions extends Abortable {
  report?: BuildReporter | undefined;
}

/** What the work itself is given: everybody who waits for it hears what it reports. */
export interface WorkContext {
  signal: AbortSignal;
  report: ProgressReporter & { stage(name: string, detail?: string): void };
}

interface Running<T> {
  controller: AbortController;
  outcome: Promise<T>;
  audience: Set<BuildReporter>;
  waiting: number;
  last: { stage: [string, string?] | undefined; detail: string | undefined };
}

/**
 * Work that several callers want at the same time is done once. A caller that aborts leaves it to the others; when the
 * last one does, the work is aborted, and that caller hears of it only after the work has cleaned up.
 */
export class SharedWork<T> {
  readonly #running = new Map<string, Running<T>>();

  async join(key: string, options: BuildOptions, work: (context: WorkContext) => Promise<T>): Promise<T> {
    options.signal?.throwIfAborted();
    const dying = this.#running.get(key);
    if (dying?.controller.signal.aborted) {
      await Promise.allSettled([dying.outcome]);
      return this.join(key, options, work);
    }
    return takePart(dying ?? this.#begin(key, work), options);
  }

  #begin(key: string, work: (context: WorkContext) => Promise<T>): Running<T> {
    const controller = new AbortController();
    const running: Running<T> = {
      controller,
      audience: new Set(),
      waiting: 0,
      last: { stage: undefined, detail: undefined },
      outcome: Promise.resolve()
        .then(() => work({ signal: controller.signal, report: broadcast(running) }))
        .finally(() => this.#running.delete(key)),
    };
    this.#running.set(key, running);
    return running;
  }
}

async function takePart<T>(running: Running<T>, { signal, report }: BuildOptions): Promise<T> {
  running.waiting += 1;
  if (report) admit(running, report);
  const left = Promise.withResolvers<never>();
  const onAbort = () => {
    running.waiting -= 1;
    if (running.waiting > 0) {
      left.reject(signal?.reason);
      return;
    }
    running.controller.abort(signal?.reason);
    // The work may have ended well just before; then its result stays, but this caller asked to be told of the abort.
    void Promise.allSettled([running.outcome]).then(() => left.reject(signal?.reason));
  };
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([
      signal ? unlessAborted(running.outcome, signal) : running.outcome,
      left.promise,
    ]);
  } finally {
    signal?.removeEventListener('abort', onAbort);
    if (report) running.audience.delete(report);
  }
}

/** The outcome, except that an abort of the caller's own comes first. */
async function unlessAborted<T>(outcome: Promise<T>, signal: AbortSignal): Promise<T> {
  try {
    const result = await outcome;
    signal.throwIfAborted();
    return result;
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}

function admit<T>(running: Running<T>, report: BuildReporter): void {
  running.audience.add(report);
  const { stage, detail } = running.last;
  if (stage) report.stage?.(...stage);
  if (detail !== undefined) report.detail(detail);
}

function broadcast<T>(running: Running<T>): WorkContext['report'] {
  const toAll = (tell: (report: BuildReporter) => void) => running.audience.forEach(tell);
  return {
    stage(name: string, detail?: string) {
      running.last = { stage: detail === undefined ? [name] : [name, detail], detail };
      toAll((report) => report.stage?.(name, detail));
    },
    detail(text) {
      running.last.detail = text;
      toAll((report) => report.detail(text));
    },
    progress(done, total, unit) {
      toAll((report) => report.progress(done, total, unit));
    },
  };
}
