import { isTimeout, withTimeout } from '#base/abort.ts';
import { pollUntil } from '#base/backoff.ts';
import { isUserError, UserError } from '#contract/errors.ts';
import type { CliContext } from './context.ts';

const STOP_MS = 20_000;

/** Stops the daemon and waits until it is gone; false when none runs. @throws UserError `DAEMON_STOPPING` when it stays */
export async function stopDaemon(context: CliContext): Promise<boolean> {
  const wasRunning = await requestStop(context);
  if (wasRunning) await waitUntilGone(context);
  return wasRunning;
}

async function requestStop(context: CliContext): Promise<boolean> {
  using client = await context.connectIfRunning();
  try {
    await client?.stopDaemon();
  } catch (error) {
    if (!isUserError(error, 'DAEMON_STOPPING')) throw error;
  }
  return client !== undefined;
}

async function waitUntilGone(context: CliContext): Promise<void> {
  const signal = withTimeout(STOP_MS);
  try {
    await pollUntil(() => isGone(context, signal), { signal, firstMs: 5 });
  } catch (error) {
    if (!isTimeout(error)) throw error;
    throw new UserError(
      'DAEMON_STOPPING',
      `Cannot say that the daemon has stopped: it still answers after ${STOP_MS / 1000} s`,
      {
        hint: 'banger daemon logs',
      },
    );
  }
}

async function isGone(context: CliContext, signal: AbortSignal): Promise<true | undefined> {
  using client = await context.connectIfRunning(signal);
  return client === undefined ? true : undefined;
}
