import type { CreateVmRequest, PublishedPort, VmSpec } from '#contract/owner/vm.ts';
import type { VmRun } from '#contract/owner/vm-run.ts';
import type { VmRecord } from '#store/vm-repository.ts';

/** What a creation has found out before it makes anything. */
export interface CreatePlan {
  vm: { id: string; name: string };
  spec: Omit<VmSpec, 'diskBytes'>;
  request: CreateVmRequest;
  /** That was asked for by name. */
  kernelId: string | undefined;
}

export interface NewVm extends Pick<CreatePlan, 'vm' | 'spec'> {
  diskBytes: number;
  imageId: string;
  kernelId: string;
  run: VmRun | null;
  published: PublishedPort[];
  now: number;
}

/** The record of a VM that is not there yet. */
export function newVmRecord({ vm, spec, diskBytes, now, ...parts }: NewVm): VmRecord {
  return {
    ...vm,
    ...parts,
    state: 'creating',
    spec: { ...spec, diskBytes },
    hostAddress: null,
    createdAtMs: now,
    startedAtMs: null,
    stoppedAtMs: null,
    touchedAtMs: null,
    lastError: null,
  };
}
