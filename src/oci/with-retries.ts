import type { Abortable } from '#base/abort.ts';
import { delay } from '#base/backoff.ts';
import { isPassing, StatusError } from './registry-failure.ts';

export interface Patience {
  /** How often a request is sent at most. */
  attempts: number;
  /** The first pause; it doubles. */
  pauseMs: number;
  /** A registry that asks for a longer pause is taken to be unreachable. */
  maxRetryAfterMs: number;
}

export const PATIENCE: Patience = { attempts: 6, pauseMs: 500, maxRetryAfterMs: 60_000 };

/** Repeats what fails for a reason that may pass, with growing pauses or after those that the registry asks for. */
export async function withRetries<T>(
  attempt: () => Promise<T>,
  { patience, signal }: Abortable & { patience: Patience },
): Promise<T> {
  for (let number = 1; ; number += 1) {
    try {
      return await attempt();
    } catch (error) {
      signal?.throwIfAborted();
      const pauseMs = pauseAfter(error, number, patience);
      if (pauseMs === undefined) throw error;
      await delay(pauseMs, { signal });
    }
  }
}

/** Undefined when there is no use in another attempt. */
function pauseAfter(error: unknown, number: number, patience: Patience): number | undefined {
  if (number >= patience.attempts || !isPassing(error)) return undefined;
  const asked = error instanceof StatusError ? error.retryAfterMs : undefined;
  if (asked !== undefined) return asked <= patience.maxRetryAfterMs ? asked : undefined;
  // Spread, so that the downloads of one image do not come back all at once.
  return patience.pauseMs * 2 ** (number - 1) * (0.75 + Math.random() / 2);
}
