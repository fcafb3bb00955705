import type { Abortable } from '#base/abort.ts';
import { systemErrorCode } from '#base/errors.ts';
import { isErrorCode, UserError, type ErrorCode } from '#contract/errors.ts';

/** How an attempt to start the daemon ended; without `failure` it died or hung without a word. */
export type DaemonStart =
  | { ready: true }
  | {
      ready: false;
      failure?: { code: string; message: string; hint?: string | undefined } | undefined;
      logTail: string;
    };

export type StartDaemon = (options: Abortable) => Promise<DaemonStart>;

const DAMAGED_HINT = 'the host may have found it damaged: dmesg says more';
const FOLDER_HINT = 'check its owner and mode, or choose another through XDG_STATE_HOME';

/** What can be wrong with the folder of the log, which is there before the daemon is. */
const FOLDER_PROBLEMS: Readonly<Record<string, [code: ErrorCode, why: string, hint: string]>> = {
  EROFS: ['STATE_FOLDER_UNUSABLE', 'the file system is read-only', DAMAGED_HINT],
  EACCES: ['STATE_FOLDER_UNUSABLE', 'the folder may not be written', FOLDER_HINT],
  EPERM: ['STATE_FOLDER_UNUSABLE', 'the folder belongs to somebody else', FOLDER_HINT],
  ENOSPC: [
    'HOST_DISK_FULL',
    'the file system is full',
    'make room on it, then try again; VMs run on meanwhile',
  ],
  EDQUOT: ['HOST_DISK_FULL', 'the quota is used up', 'make room, or ask for a larger quota'],
};

/** @throws UserError what the daemon said it failed with; `DAEMON_START_FAILED` (details.log) when it said nothing */
export async function ensureDaemon(start: StartDaemon, logPath: string, options: Abortable): Promise<void> {
  const outcome = await startOrExplain(start, logPath, options);
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

async function startOrExplain(start: StartDaemon, logPath: string, options: Abortable): Promise<DaemonStart> {
  try {
    return await start(options);
  } catch (error) {
    const [code, why, hint] = FOLDER_PROBLEMS[systemErrorCode(error) ?? ''] ?? [];
    if (code === undefined) throw error;
    throw new UserError(code, `Cannot start the daemon with its log "${logPath}": ${why}`, {
      hint,
      cause: error,
    });
  }
}
