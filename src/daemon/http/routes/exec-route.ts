import { UserError } from '#contract/errors.ts';
import { EXEC_UPGRADE } from '#contract/owner/exec-protocol.ts';
import type { Api } from '../api-types.ts';
import { errors } from './responses.ts';
import { vmParams } from './vm-routes.ts';

/** Only what comes without an upgrade gets here; the others never become a request (exec-upgrade.ts). */
export function addExecRoute(api: Api): void {
  api.get(
    '/v1/vms/:vm/exec',
    {
      schema: {
        operationId: 'execInVm',
        summary: `Runs a command: needs "Upgrade: ${EXEC_UPGRADE}", then both ends speak the frames of docs/guest-protocol.md`,
        params: vmParams,
        response: errors,
      },
    },
    () => {
      throw new UserError(
        'INVALID_ARGUMENT',
        `Cannot run a command: the request has no header "Upgrade: ${EXEC_UPGRADE}"`,
      );
    },
  );
}
