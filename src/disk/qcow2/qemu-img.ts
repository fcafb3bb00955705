import type { Abortable } from '#base/abort.ts';
import { UserError } from '#contract/errors.ts';
import { CommandError, runCommand } from '#host/run-command.ts';

const TIMEOUT_MS = 60_000;
/** For what reads or writes whole disks. */
export const COPY_TIMEOUT_MS = 3_600_000;

/**
 * Runs one qemu-img command and returns what it printed.
 *
 * @throws UserError `DISK_TOOL_MISSING`, `HOST_DISK_FULL`; otherwise CommandError
 */
export async function runQemuImg(
  program: string,
  args: readonly string[],
  { signal, timeoutMs = TIMEOUT_MS }: Abortable & { timeoutMs?: number },
): Promise<string> {
  try {
    return (await runCommand(program, args, { signal, timeoutMs })).stdout;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    if (error.systemCode === 'ENOENT') {
      throw new UserError('DISK_TOOL_MISSING', `Cannot make disks: "${program}" is not installed`, {
        hint: 'apt-get install qemu-utils',
        cause: error,
      });
    }
    if (/No space left on device|Disk quota exceeded/.test(error.stderr)) {
      throw new UserError('HOST_DISK_FULL', 'Cannot write the disk: the file system is full', {
        hint: 'banger vm list shows what can be deleted',
        details: { stderr: error.stderr },
        cause: error,
      });
    }
    throw error;
  }
}
