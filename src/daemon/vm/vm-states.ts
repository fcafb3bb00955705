import type { VmState } from '#contract/owner/vm.ts';

/**
 * Which state may follow which. `creating` and `deleting` rows are finished or removed by the next reconcile;
 * `starting` and `stopping` ones become what the machine turns out to be.
 */
export const TRANSITIONS: Readonly<Record<VmState, readonly VmState[]>> = {
  creating: ['running', 'stopped', 'deleting'],
  stopped: ['starting', 'error', 'deleting'],
  starting: ['running', 'stopped', 'error', 'deleting'],
  running: ['stopping', 'stopped', 'error', 'deleting'],
  stopping: ['stopped', 'running', 'error', 'deleting'],
  error: ['starting', 'stopped', 'deleting'],
  deleting: [],
};

export function mayFollow(from: VmState, to: VmState): boolean {
  return TRANSITIONS[from].includes(to);
}
