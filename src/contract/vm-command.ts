import type { VmRun } from './owner/vm-run.ts';

/** The words that a VM is there to run; none: its image names none, or boots an init. */
export function commandOf(run: Pick<VmRun, 'entrypoint' | 'cmd'> | undefined): string[] {
  return [...(run?.entrypoint ?? []), ...(run?.cmd ?? [])];
}
