import { rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { messageOf } from '#base/errors.ts';
import { isVmId } from '#base/ids.ts';
import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { Layout } from '#contract/layout.ts';
import type { VmState } from '#contract/owner/vm.ts';
import { ensurePrivateFolder, isTemporaryName, listFolderIfThere } from '#host/files.ts';
import type { VmRecord } from '#store/vm-repository.ts';
import type { Capabilities } from './capabilities.ts';
import type { HandleCache } from './handles.ts';
import type { MachineRunner } from './machine-runner.ts';
import type { HostAddresses } from './host-addresses.ts';
import { errorSummary } from './vm-lifecycle.ts';
import type { VmRegistry } from './vm-registry.ts';

export interface ReconcileOptions {
  registry: VmRegistry;
  runner: MachineRunner;
  capabilities: Capabilities;
  addresses: HostAddresses;
  handles: HandleCache;
  layout: Layout;
  clock: Clock;
  log: Logger;
  onRunning: (id: string) => void;
  /** Told of each VM that runs although somebody had begun to stop it: its guest may be on its way down. */
  onInterruptedStop: (id: string) => void;
}

type Action = 'adopt' | 'settle' | 'remove';

/** What becomes of a VM found in this state, by whether its machine runs. */
const ACTIONS: Readonly<Record<VmState, { alive: Action; gone: Action }>> = {
  creating: { alive: 'remove', gone: 'remove' }, // never handed to anybody
  deleting: { alive: 'remove', gone: 'remove' },
  starting: { alive: 'adopt', gone: 'settle' },
  running: { alive: 'adopt', gone: 'settle' },
  stopping: { alive: 'adopt', gone: 'settle' },
  stopped: { alive: 'settle', gone: 'settle' },
  error: { alive: 'settle', gone: 'settle' },
};

/** Compares the records with what really is, at start, after a clean shutdown and after a crash alike. */
export async function reconcile(options: ReconcileOptions): Promise<void> {
  const records = options.registry.list();
  const running = await options.runner.runningIds();
  for (const record of records) {
    try {
      await reconcileVm(record, options, running.has(record.id));
    } catch (error) {
      // One VM that cannot be settled must not keep the others from their owner.
      options.log.error({ vm: record.id, error: messageOf(error) }, 'cannot reconcile');
      if (options.registry.find(record.id)?.state === record.state && !isHalfMade(record.state)) {
        markError(record, error, options);
      }
    }
  }
  const known = [...options.registry.list(), ...options.registry.listDamaged()];
  await removeUnknown(options, new Set(known.map(({ id }) => id)));
}

/** Makes one VM what it really is. The caller holds its lock, or nobody else can. */
export async function reconcileVm(record: VmRecord, options: ReconcileOptions, runs = true): Promise<void> {
  const { registry, runner, handles, log } = options;
  await removeUnfinished(runner.folderOf(record.id));
  await handles.load(record.id);
  // Looked for only where one may be: a look goes through all processes.
  const machine = runs ? await runner.findMachine(record.id) : undefined;
  const settled = record.state === 'stopped' && !machine && handles.get(record.id).machine === undefined;
  if (settled && !record.spec.autoRemove) return;
  const action = ACTIONS[record.state][machine ? 'alive' : 'gone'];
  log.info({ vm: record.id, state: record.state, action }, 'reconcile');
  if (action === 'adopt' && machine) {
    await runner.adopt(record.id, machine);
    registry.transition(record.id, 'running');
    await options.capabilities.afterAdoption(options.addresses.ensure(registry.get(record.id)), log);
    options.onRunning(record.id);
    if (record.state === 'stopping') options.onInterruptedStop(record.id);
    return;
  }
  await runner.tearDown(record.id);
  if (action === 'remove' || record.spec.autoRemove) {
    registry.transition(record.id, 'deleting');
    await runner.removeFiles(record.id);
    registry.remove(record.id);
    return;
  }
  registry.transition(record.id, 'stopped', {
    stoppedAtMs: record.state === 'stopped' ? record.stoppedAtMs : options.clock.now(),
  });
}

/** Files whose writing was cut off. */
async function removeUnfinished(folder: string): Promise<void> {
  const names = (await listFolderIfThere(folder)).filter(isTemporaryName);
  await Promise.all(names.map((name) => rm(join(folder, name), { force: true })));
}

/** Such a row is removed by the next reconcile; another state would make a VM of it. */
function isHalfMade(state: VmState): boolean {
  return state === 'creating' || state === 'deleting';
}

function markError(record: VmRecord, error: unknown, { registry, log }: ReconcileOptions): void {
  try {
    registry.transition(record.id, 'error', { lastError: errorSummary(error) });
  } catch (second) {
    log.error({ vm: record.id, error: messageOf(second) }, 'cannot mark a VM as damaged');
  }
}

/**
 * Folders (and machines) of VMs that no row knows. A row is written before its files and removed after them, so where there are
 * files it is the store that was lost: those are put aside, never removed.
 */
async function removeUnknown(options: ReconcileOptions, known: ReadonlySet<string>): Promise<void> {
  const { layout } = options;
  const folders = [layout.vmsDir, join(layout.runtimeDir, 'vm')];
  const names = (await Promise.all(folders.map(listFolderIfThere))).flat();
  for (const id of new Set(names)) {
    if (known.has(id) || !isVmId(id)) continue;
    try {
      await removeUnknownVm(id, options);
      await Promise.all(folders.map((folder) => rm(join(folder, id), { recursive: true, force: true })));
    } catch (error) {
      options.log.error({ vm: id, error: messageOf(error) }, 'cannot take down a VM without a record');
    }
  }
}

/** Ends what runs for the id of no VM, and puts its files aside. */
export async function removeUnknownVm(id: string, { layout, runner, log }: ReconcileOptions): Promise<void> {
  log.warn({ vm: id }, 'taking down what is left of a VM without a record');
  await runner.tearDown(id);
  const destination = join(layout.stateDir, 'orphans', id);
  if (await putAside(runner.folderOf(id), destination)) {
    log.error({ vm: id, folder: destination }, 'kept the files of a VM that the store does not know');
  }
  await runner.removeFiles(id);
}

/** Moves the folder, unless there is nothing finished in it. */
async function putAside(folder: string, destination: string): Promise<boolean> {
  const names = await listFolderIfThere(folder);
  if (names.every(isTemporaryName)) return false;
  await ensurePrivateFolder(dirname(destination));
  await rename(folder, destination);
  return true;
}
