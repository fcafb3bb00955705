import { isUserError } from '#contract/errors.ts';
import type { CliContext } from '../context.ts';
import { reportFailure } from '../output/report.ts';

/** The command's status; 127 and 126, as in a shell, when it (or the shell) is not there or not executable: that is reported. */
export async function exitStatusOfCommand(
  context: CliContext,
  run: () => Promise<number>,
  { json = false } = {},
): Promise<number> {
  try {
    return await run();
  } catch (error) {
    const isMissing = isUserError(error, 'COMMAND_NOT_FOUND') || isUserError(error, 'SHELL_NOT_FOUND');
    if (!isMissing && !isUserError(error, 'COMMAND_NOT_EXECUTABLE')) throw error;
    reportFailure(error, { output: context.output, json });
    return isMissing ? 127 : 126;
  }
}
