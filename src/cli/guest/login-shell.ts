import { isUserError, UserError } from '#contract/errors.ts';
import { osConstants } from '../os-constants.ts';

/** The login shell of the guest's user: the agent sets SHELL from the user's entry. */
export const LOGIN_SHELL: readonly string[] = ['/bin/sh', '-c', 'exec "${SHELL:-/bin/sh}" -l'];

/** What came of opening it, in the words of one who asked for a shell and named none. */
export function explainShell(error: unknown, vm: string): unknown {
  const isMissing =
    isUserError(error, 'COMMAND_NOT_FOUND') &&
    error.details?.['errno'] === osConstants().errno.ENOENT &&
    !error.message.includes('folder');
  if (!isMissing) return error;
  return new UserError('SHELL_NOT_FOUND', `Cannot open a shell in "${vm}": it has no /bin/sh`, {
    hint: `run a program that it has: banger vm exec ${vm} -- /path/to/program`,
    cause: error,
  });
}
