import type { Finding } from '#contract/owner/fsck.ts';
import type { VmState } from '#contract/owner/vm.ts';
import { isTemporaryName } from '#host/files.ts';
import type { VmRecord } from '#store/vm-repository.ts';
import type { ObservedVm } from './observed.ts';

type Details = Omit<Finding, 'vm'>;

const UNFINISHED: ReadonlySet<VmState> = new Set(['creating', 'starting', 'stopping', 'deleting']);

/** What of one VM is not as it should be. */
export function planVm(vm: ObservedVm): Finding[] {
  if (vm.isBusy) return [];
  const name = vm.record?.name ?? vm.damagedRow?.name;
  const about = { id: vm.id, ...(name !== undefined && { name }) };
  return findingsOf(vm).map((details) => ({ ...details, vm: about }));
}

function findingsOf(vm: ObservedVm): Details[] {
  const { record } = vm;
  if (vm.damagedRow) return [damagedRow(vm)];
  if (!record) return withoutRow(vm);
  if (UNFINISHED.has(record.state)) return [unfinished(record)];
  const findings = record.state === 'running' ? running(vm, record) : notRunning(vm, record);
  return [...findings, ...disk(vm, record), ...temporaryFiles(vm)];
}

function damagedRow({ machines, damagedRow: damage, folder }: ObservedVm): Details {
  const [machine] = machines;
  return {
    kind: 'row-damaged',
    severity: 'damage',
    path: folder.path,
    reason: `its row in the store cannot be read: ${damage?.why}`,
    ...(machine
      ? { hint: `its machine (process ${machine.process.pid}) still runs; end that first, then repair` }
      : { repair: 'puts its files and the row as it is aside in orphans/, and forgets the VM' }),
  };
}

function withoutRow(vm: ObservedVm): Details[] {
  const why = 'the store knows no VM with this id';
  const findings = processes(vm, why);
  if (vm.runtimeFolder.names) findings.push(runtimeFolder(vm, why));
  if (vm.folder.names) {
    const isEmpty = vm.folder.names.every(isTemporaryName);
    findings.push({
      kind: 'folder-without-row',
      severity: 'leftover',
      path: vm.folder.path,
      reason: why,
      repair: isEmpty
        ? 'removes it: nothing in it was ever finished'
        : 'moves it to orphans/: there are files in it',
    });
  }
  return findings;
}

function unfinished({ state }: VmRecord): Details {
  const isRemoved = state === 'creating' || state === 'deleting';
  return {
    kind: 'unfinished-state',
    severity: 'damage',
    reason: `its state is ${state}, but nobody works on it`,
    repair: isRemoved
      ? `finishes its removal${state === 'creating' ? ': it was never handed to anybody' : ''}`
      : 'makes it what its machine is: running or stopped',
  };
}

function running(vm: ObservedVm, { name }: VmRecord): Details[] {
  const [machine, ...others] = vm.machines;
  if (!machine) {
    return [
      {
        kind: 'running-without-machine',
        severity: 'damage',
        reason: 'its state is running, but it has no machine',
        repair: 'takes down what is left of the machine and makes the VM stopped',
      },
    ];
  }
  const findings: Details[] = others.map(({ process }) => ({
    kind: 'second-machine',
    severity: 'leftover',
    pid: process.pid,
    reason: `process ${machine.process.pid} is the machine of this VM already`,
    repair: 'kills the process',
  }));
  const handles = wrongHandles(vm, machine.process.pid, machine.process.startTicks);
  if (handles !== undefined) {
    findings.push({
      kind: 'handles-wrong',
      severity: 'damage',
      path: `${vm.folder.path}/handles.json`,
      reason: handles,
      repair: 'writes it again, as the kernel has it',
    });
  }
  if (vm.handles.networkEnded) {
    findings.push({
      kind: 'network-lost',
      severity: 'damage',
      reason: 'the process that carried its network traffic has ended',
      hint: `banger vm restart ${name}`,
    });
  }
  return findings;
}

function wrongHandles({ handles }: ObservedVm, pid: number, startTicks: number): string | undefined {
  if (handles.file === 'missing') return 'it is missing, and the VM runs';
  if (handles.file === 'unreadable') return 'it cannot be read';
  if (handles.machine?.pid === pid && handles.machine.startTicks === startTicks) return undefined;
  return `it names process ${handles.machine?.pid ?? 'none'}, but the machine is process ${pid}`;
}

function notRunning(vm: ObservedVm, { state }: VmRecord): Details[] {
  const why = `its VM is ${state === 'error' ? 'in state error' : state}`;
  const findings = processes(vm, why);
  if (vm.runtimeFolder.names) findings.push(runtimeFolder(vm, why));
  if (vm.handles.file !== 'missing') {
    findings.push({
      kind: 'handles-wrong',
      severity: 'leftover',
      path: `${vm.folder.path}/handles.json`,
      reason: why,
      repair: 'removes it',
    });
  }
  return findings;
}

function processes({ machines, networkProcesses }: ObservedVm, reason: string): Details[] {
  return [
    ...machines.map(({ process: { pid } }): Details => ({
      kind: 'machine-without-vm',
      severity: 'leftover',
      pid,
      reason,
      repair: 'kills the process',
    })),
    ...networkProcesses.map(({ pid }): Details => ({
      kind: 'network-without-machine',
      severity: 'leftover',
      pid,
      reason,
      repair: 'kills the process',
    })),
  ];
}

function runtimeFolder({ runtimeFolder: { path } }: ObservedVm, reason: string): Details {
  return {
    kind: 'runtime-folder-left',
    severity: 'leftover',
    path,
    reason,
    repair: 'removes it with the sockets in it',
  };
}

function disk(vm: ObservedVm, { state, name, lastError }: VmRecord): Details[] {
  if (vm.disk.state === 'good') return [];
  const what = vm.disk.state === 'missing' ? 'its disk is missing' : `its disk is damaged: ${vm.disk.why}`;
  const about = { kind: 'disk-damaged', path: vm.folder.path } as const;
  if (state === 'running') {
    return [
      {
        ...about,
        severity: 'damage',
        reason: `${what}; its machine still has it open`,
        hint: 'copy what matters out of the VM before it stops',
      },
    ];
  }
  const hint = `what was on it is lost unless the file is put back; banger vm delete ${name} removes the VM`;
  if (lastError?.code === 'DISK_DAMAGED')
    return [{ ...about, severity: 'info', reason: `${what}, and the VM says so`, hint }];
  return [{ ...about, severity: 'damage', reason: what, repair: 'marks the VM as damaged', hint }];
}

function temporaryFiles({ folder }: ObservedVm): Details[] {
  const names = folder.names?.filter(isTemporaryName) ?? [];
  return names.map((name) => ({
    kind: 'temporary-file',
    severity: 'leftover',
    path: `${folder.path}/${name}`,
    reason: 'its writing was cut off',
    repair: 'removes it',
  }));
}
