import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Finding, FindingKind } from '#contract/owner/fsck.ts';
import { ensurePrivateFolder, writeFileAtomic } from '#host/files.ts';
import { signalProcess, waitForProcessExit } from '#host/proc.ts';
import type { HandleCache } from '../vm/handles.ts';
import type { Drivers, MachineRunner } from '../vm/machine-runner.ts';
import type { VmRegistry } from '../vm/vm-registry.ts';
import type { VmRecord } from '#store/vm-repository.ts';
import type { ObservedVm } from './observed.ts';

export interface RepairParts {
  registry: VmRegistry;
  runner: MachineRunner;
  handles: HandleCache;
  drivers: Drivers;
  /** Makes a VM what its machine is, as at the daemon's start. */
  settle: (record: VmRecord) => Promise<void>;
  /** Ends what runs for an id that no row has, and puts its files aside. */
  removeUnknown: (id: string) => Promise<void>;
}

type Repair = (finding: Finding, vm: ObservedVm, parts: RepairParts) => Promise<void>;

/** How each finding about a VM is repaired, by a caller that holds the VM's lock and has just seen it again. */
export const VM_REPAIRS: Partial<Record<FindingKind, Repair>> = {
  'machine-without-vm': killMachine,
  'second-machine': killMachine,
  'network-without-machine': killNetwork,
  'runtime-folder-left': (_finding, { id }, { runner }) => runner.tearDown(id),
  'folder-without-row': (_finding, { id }, { removeUnknown }) => removeUnknown(id),
  'temporary-file': ({ path = '' }) => rm(path, { force: true }),
  'disk-damaged': markDamaged,
  'running-without-machine': settle,
  'unfinished-state': settle,
  'handles-wrong': writeHandles,
  'row-damaged': putAside,
};

async function killMachine({ pid }: Finding, vm: ObservedVm, { drivers }: RepairParts): Promise<void> {
  const machine = vm.machines.find(({ process }) => process.pid === pid);
  if (machine) await drivers.hypervisor.kill(machine);
}

async function killNetwork({ pid }: Finding, vm: ObservedVm): Promise<void> {
  const process = vm.networkProcesses.find((one) => one.pid === pid);
  if (!process) return;
  await signalProcess(process, 'SIGKILL');
  await waitForProcessExit(process, { signal: AbortSignal.timeout(10_000) });
}

async function markDamaged(
  { reason }: Finding,
  { id }: ObservedVm,
  { registry }: RepairParts,
): Promise<void> {
  registry.transition(id, 'error', { lastError: { code: 'DISK_DAMAGED', message: reason } });
}

async function settle(_finding: Finding, { record }: ObservedVm, parts: RepairParts): Promise<void> {
  if (record) await parts.settle(record);
}

async function writeHandles(_finding: Finding, vm: ObservedVm, parts: RepairParts): Promise<void> {
  const { handles, runner } = parts;
  const [machine] = vm.machines;
  if (!machine) return handles.clear(vm.id);
  await handles.rewrite(vm.id, { ...handles.get(vm.id), machine });
  await runner.adopt(vm.id, machine);
}

/** The row is written beside the files first: a crash afterwards leaves a folder without a row, which is put aside as well. */
async function putAside(_finding: Finding, vm: ObservedVm, parts: RepairParts): Promise<void> {
  const { damagedRow, folder, id } = vm;
  if (!damagedRow) return;
  await ensurePrivateFolder(folder.path);
  await writeFileAtomic(join(folder.path, 'row.json'), `${JSON.stringify(damagedRow.row, null, 2)}\n`);
  parts.registry.forgetDamaged(id);
  await parts.removeUnknown(id);
}
