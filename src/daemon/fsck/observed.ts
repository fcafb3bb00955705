import type { ProcessIdentity } from '#host/proc.ts';
import type { Machine } from '#hypervisor/hypervisor.ts';
import type { DamagedVmRow, VmRecord } from '#store/vm-repository.ts';
import type { ArtifactLeftover } from '../image/artifact-folder.ts';

/** What the store says and what is really there, side by side. */
export interface Observed {
  vms: readonly ObservedVm[];
  artifacts: readonly ArtifactLeftover[];
  /** Paths of what was put aside. */
  orphans: readonly string[];
}

/** All that goes by the id of one VM. */
export interface ObservedVm {
  id: string;
  /** An operation on it runs: what is there is on its way. */
  isBusy: boolean;
  record: VmRecord | undefined;
  damagedRow: DamagedVmRow | undefined;
  machines: readonly Machine[];
  networkProcesses: readonly ProcessIdentity[];
  folder: Folder;
  runtimeFolder: Folder;
  /** Only looked at for a VM with a record. */
  disk: DiskFinding;
  handles: ObservedHandles;
}

export interface Folder {
  path: string;
  /** Undefined: there is no folder. */
  names: readonly string[] | undefined;
}

export type DiskFinding = { state: 'good' } | { state: 'missing' } | { state: 'damaged'; why: string };

export interface ObservedHandles {
  file: 'missing' | 'unreadable' | 'read';
  /** The machine's process as the file has it. */
  machine: ProcessIdentity | undefined;
  /** The process that carries the traffic was there when the VM started, and ended. */
  networkEnded: boolean;
}
