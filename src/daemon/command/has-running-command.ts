import type { Abortable } from '#base/abort.ts';
import { isUserError } from '#contract/errors.ts';
import type { AgentClient } from '#guest/agent-client.ts';

/** Whether something runs on in the guest without anybody who watches. */
export async function hasRunningCommand(
  { commands }: Pick<AgentClient, 'commands'>,
  options: Abortable,
): Promise<boolean> {
  try {
    return (await commands.list(options)).some(({ status }) => status === 'running');
  } catch (error) {
    // The agent of a machine that was started by an older build has no such commands.
    const isOlder =
      isUserError(error, 'GUEST_OPERATION_FAILED') && error.details?.['guestCode'] === 'UNSUPPORTED';
    if (!isOlder) throw error;
    return false;
  }
}
