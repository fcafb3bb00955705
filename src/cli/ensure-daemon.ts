import type { Abortable } from '#base/abort.ts';
import { isErrorCode, UserError } from '#contract/errors.ts';

/** How an attempt to start the daemon ended; without `failure` it died or hung without a word. */
export type DaemonStart =
  | { ready: true }
  | {
      ready: false;
      failure?: { code: string; message: string; hint?: string | undefined } | undefined;
      logTail: string;
    };

export type StartDaemon = (options: Abortable) => Promise<DaemonStart>;

/** @throws UserError what the daemon said it failed with; `DAEMON_START_FAILED` (details.log) when it said nothing */
export async function ensureDaemon(start: StartDaemon, logPath: string, options: Abortable): Promise<void> {
  const outcome = await start(options);
  if (outcome.ready) return;
  const { failure, logTail } = outcome;
  if (failure && isErrorCode(failure.code) && failure.code !== 'INTERNAL') {
    throw new UserError(failure.code, failure.message, { hint: failure.hint });
  }
  const why = failure?.message ?? 'it did not become ready in time or ended before it was';
  throw new UserError('DAEMON_START_FAILED', `Cannot start the daemon: ${why}`, {
    hint: `read its log: ${logPath}`,
    details: { log: logTail },
  });
}
