import { withTimeout, type Abortable } from '#base/abort.ts';
import { UserError } from '#contract/errors.ts';
import type { ServiceStatus } from '#contract/owner/service.ts';
import type { AgentClient } from '#guest/agent-client.ts';
import type { VmRecord } from '#store/vm-repository.ts';

const ANSWER_MS = 5000;

/** @throws UserError `SERVICE_NOT_DEFINED`, `GUEST_NOT_ANSWERING` */
export async function findServiceStatus(
  { name, run }: Pick<VmRecord, 'name' | 'run'>,
  agent: Pick<AgentClient, 'service'>,
  { signal }: Abortable,
): Promise<ServiceStatus> {
  const isMeant = run?.isService === true;
  const status = isMeant ? await agent.service.status({ signal: withTimeout(ANSWER_MS, signal) }) : undefined;
  if (status) return status;
  throw new UserError(
    'SERVICE_NOT_DEFINED',
    `Cannot say how the service of "${name}" is: ${isMeant ? 'its guest was not told of it' : 'it has none'}`,
    {
      hint: isMeant
        ? `the daemon's log says why: banger daemon logs; banger vm restart ${name} tells it again`
        : 'a VM has one when its image names a command, or `banger vm run -d` got one',
    },
  );
}
