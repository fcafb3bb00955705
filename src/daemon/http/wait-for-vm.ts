import { withTimeout } from '#base/abort.ts';
import { UserError } from '#contract/errors.ts';
import type { Vm, WaitCondition } from '#contract/owner/vm.ts';
import type { VmHandlers } from './services.ts';

export interface WaitForVmOptions {
  reference: string;
  for?: WaitCondition | undefined;
  /** Without one the signal is the only bound. */
  timeoutMs?: number | undefined;
  signal: AbortSignal;
}

/** @throws UserError `GUEST_NOT_ANSWERING` after the time; what the service throws; the signal's reason */
export async function waitForVm(vms: Pick<VmHandlers, 'wait'>, options: WaitForVmOptions): Promise<Vm> {
  const { reference, timeoutMs, signal, for: condition = 'stopped' } = options;
  const bounded = timeoutMs === undefined ? signal : withTimeout(timeoutMs, signal);
  try {
    return await vms.wait(reference, condition, { signal: bounded });
  } catch (error) {
    if (error !== bounded.reason || signal.aborted) throw error;
    throw new UserError(
      'GUEST_NOT_ANSWERING',
      `Cannot see "${reference}" ${goalOf(condition)}: ${timeoutMs} ms have passed`,
      {
        hint: `banger vm logs ${reference}`,
        details: { condition, timeoutMs },
        cause: error,
      },
    );
  }
}

const GOALS = { running: 'run', stopped: 'stop', agent: 'answer', systemd: 'finish its boot' } as const;

function goalOf(condition: WaitCondition): string {
  if (condition in GOALS) return GOALS[condition as keyof typeof GOALS];
  return `listen on port ${condition.slice('port:'.length)}`;
}
