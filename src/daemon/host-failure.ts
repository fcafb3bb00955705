import { systemErrorCode } from '#base/errors.ts';
import { UserError } from '#contract/errors.ts';
import { CommandError } from '#host/run-command.ts';

type Reason = 'full' | 'unwritable';

/** Primary result codes of SQLite, https://www.sqlite.org/rescode.html */
const SQLITE_REASONS: Readonly<Record<number, Reason>> = { 8: 'unwritable', 10: 'unwritable', 13: 'full' };
const SYSTEM_REASONS: Readonly<Record<string, Reason>> = {
  ENOSPC: 'full',
  EDQUOT: 'full',
  EROFS: 'unwritable',
  EIO: 'unwritable',
};

/**
 * An error that a full or read-only file system caused, as its owner should see it: it can come out of every write, so it is
 * recognised where errors leave the daemon. Undefined for any other.
 */
export function translateHostFailure(error: unknown): UserError | undefined {
  const reason = findReason(error);
  if (reason === 'full') {
    return new UserError('HOST_DISK_FULL', 'Cannot write: the file system of the state folder is full', {
      hint: 'make room, or delete VMs that are not needed: banger vm list',
      cause: error,
    });
  }
  if (reason === 'unwritable') {
    return new UserError(
      'STATE_FOLDER_UNUSABLE',
      'Cannot write: the file system of the state folder is read-only, or its disk fails',
      { hint: 'the host may have found it damaged: dmesg says more', cause: error },
    );
  }
  return undefined;
}

function findReason(error: unknown): Reason | undefined {
  if (!(error instanceof Error)) return undefined;
  const own = SYSTEM_REASONS[systemErrorCode(error) ?? ''] ?? sqliteReason(error) ?? commandReason(error);
  if (own) return own;
  const causes: unknown[] = error instanceof AggregateError ? [...error.errors] : [];
  for (const cause of [...causes, error.cause]) {
    const found = findReason(cause);
    if (found) return found;
  }
  return undefined;
}

function sqliteReason(error: Error): Reason | undefined {
  const { errcode } = error as { errcode?: unknown };
  return typeof errcode === 'number' ? SQLITE_REASONS[errcode & 0xff] : undefined;
}

function commandReason(error: Error): Reason | undefined {
  if (!(error instanceof CommandError)) return undefined;
  if (error.stderr.includes('No space left on device')) return 'full';
  return error.stderr.includes('Read-only file system') ? 'unwritable' : undefined;
}
