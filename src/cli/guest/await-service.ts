import { delay } from '#base/backoff.ts';
import { UserError, type ErrorCode } from '#contract/errors.ts';
import type { ServiceStatus } from '#contract/owner/service.ts';
import type { Vm } from '#contract/owner/vm.ts';
import { commandOf } from '#contract/vm-command.ts';
import type { BangerClient } from '#sdk/client.ts';
import { Interruption } from '../interruption.ts';
import type { StopSignals } from '../stop-signals.ts';

const LOOK_AGAIN_MS = 20;
/** A guest that takes longer to execute a program is left to it. */
const MAX_LOOKS = 100;

const CODES: Partial<Record<string, ErrorCode>> = {
  NOT_FOUND: 'COMMAND_NOT_FOUND',
  DENIED: 'COMMAND_NOT_EXECUTABLE',
};

/**
 * Sees the service of a new VM off, if it has one.
 *
 * @throws UserError `COMMAND_NOT_FOUND`, `COMMAND_NOT_EXECUTABLE`, `SERVICE_FAILED` when it could not be executed; what the daemon
 * answers; Interruption
 */
export async function awaitService(
  { client, signals }: { client: BangerClient; signals: StopSignals },
  vm: Vm,
): Promise<void> {
  if (!vm.run?.isService || vm.state !== 'running') return;
  signals.throwIfWaiting();
  const leaving = new AbortController();
  using _ = signals.handle((name) => leaving.abort(new Interruption(name)));
  const { signal } = leaving;
  for (let looks = 0; looks < MAX_LOOKS; looks += 1) {
    const { state, failure } = await client.vms.service(vm.id, { signal });
    if (state === 'failed') throw serviceFailed(vm, failure);
    if (state !== 'starting') return;
    await delay(LOOK_AGAIN_MS, { signal });
  }
}

function serviceFailed({ name, run }: Vm, failure: ServiceStatus['failure']): UserError {
  const command = commandOf(run)[0] ?? '';
  return new UserError(
    CODES[failure?.code ?? ''] ?? 'SERVICE_FAILED',
    `Cannot start "${command}" as the service of "${name}": ${failure?.message ?? 'the guest does not say why'}`,
    { hint: `the VM runs without it; look into it, or remove it: banger vm delete -f ${name}` },
  );
}
