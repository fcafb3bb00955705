import { buildCommand } from '@stricli/core';
import { withTimeout, isTimeout } from '#base/abort.ts';
import { pollUntil } from '#base/backoff.ts';
import { isUserError, UserError } from '#contract/errors.ts';
import type { CliContext } from '../../context.ts';
import { jsonFlag } from '../../parameters.ts';

interface Flags {
  readonly json: boolean;
}

const STOP_MS = 20_000;

async function stopDaemon(this: CliContext, { json }: Flags): Promise<void> {
  const stopped = await requestStop(this);
  if (stopped) await waitUntilGone(this);
  if (json) this.output.json({ stopped });
  else this.output.line(stopped ? 'the daemon has stopped; VMs run on' : 'the daemon does not run');
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

export const stopDaemonCommand = buildCommand({
  func: stopDaemon,
  parameters: { flags: { json: jsonFlag } },
  docs: {
    brief: 'Stop the daemon; VMs run on',
    fullDescription: `Stop the daemon and wait until it has ended. VMs run on, and the next daemon takes them over.

  banger daemon stop`,
  },
});
