import type { Abortable } from './abort.ts';

/** Resolves after `ms`; rejects with the signal's reason when it aborts first. */
export function delay(ms: number, { signal }: Abortable = {}): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

export interface PollOptions extends Abortable {
  firstMs?: number;
  maxMs?: number;
}

/**
 * Asks `probe` until it answers something other than undefined, with growing pauses (1 ms up to 50 ms
 * unless told otherwise). The bound is the caller's signal.
 */
export async function pollUntil<T>(
  probe: () => T | undefined | Promise<T | undefined>,
  options: PollOptions = {},
): Promise<T> {
  let pauseMs = options.firstMs ?? 1;
  const maxMs = options.maxMs ?? 50;
  for (;;) {
    options.signal?.throwIfAborted();
    const answer = await probe();
    if (answer !== undefined) return answer;
    await delay(pauseMs, { signal: options.signal });
    pauseMs = Math.min(maxMs, pauseMs * 1.5);
  }
}
