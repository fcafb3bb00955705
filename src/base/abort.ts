/** Everything that waits takes one of these. */
export interface Abortable {
  signal?: AbortSignal | undefined;
}

/** Rejects with the signal's reason as soon as it aborts; otherwise settles as `promise` does. */
export function raceAbort<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) {
      promise.catch(() => {}); // the caller is told of the abort; the late outcome has no reader
      onAbort();
      return;
    }
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** What a timer holds; beyond it Node takes 1 ms. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** A signal that aborts when any of the given ones does, or after `timeoutMs` (at most 24.8 days). */
export function withTimeout(timeoutMs: number, ...signals: (AbortSignal | undefined)[]): AbortSignal {
  const given = signals.filter((signal) => signal !== undefined);
  return AbortSignal.any([...given, AbortSignal.timeout(Math.min(timeoutMs, MAX_TIMER_MS))]);
}

export function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.name === 'TimeoutError';
}

export function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}
