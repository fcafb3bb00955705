import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { isVmId } from '#base/ids.ts';
import { isUserError } from '#contract/errors.ts';
import type { Layout } from '#contract/layout.ts';
import { listFolderIfThere, pathExists } from '#host/files.ts';
import { isAlive, type ProcessIdentity } from '#host/proc.ts';
import type { Machine } from '#hypervisor/hypervisor.ts';
import type { DamagedVmRow, VmRecord } from '#store/vm-repository.ts';
import type { HandleCache } from '../vm/handles.ts';
import type { Drivers } from '../vm/machine-runner.ts';
import type { DiskFinding, Folder, ObservedHandles, ObservedVm } from './observed.ts';

export interface ObserveOptions {
  records: {
    reread(): VmRecord[];
    listDamaged(): DamagedVmRow[];
    find(id: string): VmRecord | undefined;
  };
  handles: HandleCache;
  drivers: Drivers;
  layout: Layout;
  isBusy: (id: string) => boolean;
}

/** How many VMs are looked at together; each may cost a run of qemu-img. */
const WIDTH = 4;

/** All that the kernel and the store say, read once for all VMs. */
interface Census {
  records: ReadonlyMap<string, VmRecord>;
  damagedRows: ReadonlyMap<string, DamagedVmRow>;
  machines: readonly (Machine & { id: string })[];
  networkProcesses: readonly { id: string; process: ProcessIdentity }[];
}

/** Every id that a row, a folder or a process has, with all there is of it. */
export async function observeVms(options: ObserveOptions): Promise<ObservedVm[]> {
  const { layout } = options;
  const folders = await Promise.all([layout.vmsDir, runtimeRoot(layout)].map(listFolderIfThere));
  const census = await takeCensus(options);
  const ids = new Set([
    ...census.records.keys(),
    ...census.damagedRows.keys(),
    ...folders.flat().filter(isVmId),
    ...[...census.machines, ...census.networkProcesses].map(({ id }) => id),
  ]);
  const queue = [...ids].toSorted();
  const seen: ObservedVm[] = [];
  const work = async () => {
    for (let id = queue.shift(); id !== undefined; id = queue.shift())
      seen.push(await look(id, census, options));
  };
  await Promise.all(Array.from({ length: WIDTH }, work));
  return seen.toSorted((one, other) => (one.id < other.id ? -1 : 1));
}

/** One VM, for a caller that holds its lock. */
export async function observeVm(id: string, options: ObserveOptions): Promise<ObservedVm> {
  return look(id, await takeCensus(options), { ...options, isBusy: () => false });
}

async function takeCensus({ records, drivers, layout }: ObserveOptions): Promise<Census> {
  const folder = runtimeRoot(layout);
  return {
    // The kernel first: what is launched meanwhile has a row already, or is busy.
    machines: await drivers.hypervisor.listMachines(folder),
    networkProcesses: await drivers.network.listProcesses(folder),
    records: new Map(records.reread().map((record) => [record.id, record])),
    damagedRows: new Map(records.listDamaged().map((row) => [row.id, row])),
  };
}

async function look(id: string, census: Census, options: ObserveOptions): Promise<ObservedVm> {
  const { layout, isBusy } = options;
  const record = census.records.get(id);
  const folder = await readFolder(join(layout.vmsDir, id));
  const handles = await readHandles(id, options);
  const runtimeFolder = await readFolder(join(runtimeRoot(layout), id));
  const machines = census.machines.flatMap(({ id: vm, ...machine }) => (vm === id ? [machine] : []));
  return {
    id,
    record,
    damagedRow: census.damagedRows.get(id),
    machines: ownFirst(machines, handles.machine),
    networkProcesses: census.networkProcesses.filter((one) => one.id === id).map(({ process }) => process),
    folder,
    runtimeFolder,
    disk: record ? await checkDisk(folder.path, options.drivers) : { state: 'good' },
    handles,
    // Asked last: an operation that ran while the above was read makes it worthless, also one that has ended.
    isBusy: isBusy(id) || hasChanged(id, census, options),
  };
}

function hasChanged(id: string, { records, damagedRows }: Census, options: ObserveOptions): boolean {
  if (damagedRows.has(id)) return false;
  return !isDeepStrictEqual(options.records.find(id), records.get(id));
}

/** The machine that the handles name is the VM's own. */
function ownFirst(machines: readonly Machine[], own: ProcessIdentity | undefined): Machine[] {
  const isOwn = ({ process }: Machine) => process.pid === own?.pid && process.startTicks === own.startTicks;
  return [...machines.filter(isOwn), ...machines.filter((machine) => !isOwn(machine))];
}

async function readFolder(path: string): Promise<Folder> {
  return { path, names: (await pathExists(path)) ? await listFolderIfThere(path) : undefined };
}

async function readHandles(id: string, options: ObserveOptions): Promise<ObservedHandles> {
  const { file, handles } = await options.handles.inspect(id);
  const carrier = handles.network?.process;
  return {
    file,
    machine: handles.machine?.process,
    networkEnded: carrier !== undefined && !(await isAlive(carrier)),
  };
}

async function checkDisk(folder: string, { disk }: Drivers): Promise<DiskFinding> {
  try {
    return { state: (await disk.findRootDisk(folder)) ? 'good' : 'missing' };
  } catch (error) {
    if (!isUserError(error, 'DISK_DAMAGED')) throw error;
    return { state: 'damaged', why: error.message };
  }
}

function runtimeRoot({ runtimeDir }: Layout): string {
  return join(runtimeDir, 'vm');
}
