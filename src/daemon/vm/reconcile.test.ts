import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtempDisposable, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLogger } from '#base/log.ts';
import { resolveLayout } from '#contract/layout.ts';
import type { VmState } from '#contract/owner/vm.ts';
import { openDatabase } from '#store/database.ts';
import { VmRepository, type VmRecord } from '#store/vm-repository.ts';
import { vmRecord } from '../../../test/support/vm-record.ts';
import { Capabilities } from './capabilities.ts';
import { HandleCache } from './handles.ts';
import { HostAddresses } from './host-addresses.ts';
import type { MachineRunner } from './machine-runner.ts';
import { reconcile } from './reconcile.ts';
import { VmRegistry } from './vm-registry.ts';

const NOW = 1_800_000_000_000;
const ID = vmRecord().id;
const ADDRESS = '127.77.0.9';

/** What of a runner reconcile uses, over real folders and a set of machines that run. */
class Machines {
  readonly running = new Set<string>();
  readonly adopted = new Set<string>();
  /** VMs whose taking down fails. */
  readonly stuck = new Set<string>();
  readonly #vmsDir: string;

  constructor(vmsDir: string) {
    this.#vmsDir = vmsDir;
  }

  folderOf = (id: string) => join(this.#vmsDir, id);
  findMachine = async (id: string) =>
    this.running.has(id) ? { process: { pid: 1, startTicks: 1 } } : undefined;
  runningIds = async () => new Set(this.running);
  adopt = async (id: string) => void this.adopted.add(id);
  removeFiles = (id: string) => rm(this.folderOf(id), { recursive: true, force: true });
  tearDown = async (id: string) => {
    if (this.stuck.has(id)) throw new Error('cannot take down');
    this.running.delete(id);
  };
}

/** The state folder as a daemon finds it. */
async function newHost(...records: VmRecord[]) {
  const folder = await mkdtempDisposable(join(tmpdir(), 'banger-reconcile-'));
  const layout = resolveLayout(
    { XDG_STATE_HOME: folder.path, XDG_RUNTIME_DIR: join(folder.path, 'run') },
    1000,
    '/',
  );
  await mkdir(layout.vmsDir, { recursive: true });
  const registry = new VmRegistry(new VmRepository(openDatabase(':memory:')));
  const machines = new Machines(layout.vmsDir);
  const toldRunning: string[] = [];
  const toldInterrupted: string[] = [];
  for (const record of records) {
    registry.add(record);
    await makeDisk(machines.folderOf(record.id));
  }
  return {
    layout,
    registry,
    machines,
    toldRunning,
    toldInterrupted,
    reconcile: () =>
      reconcile({
        registry,
        runner: machines as unknown as MachineRunner,
        capabilities: new Capabilities([]),
        addresses: new HostAddresses(registry, () => ADDRESS),
        handles: new HandleCache(layout.vmsDir),
        layout,
        clock: { now: () => NOW },
        log: silentLogger,
        onRunning: (id) => toldRunning.push(id),
        onInterruptedStop: (id) => toldInterrupted.push(id),
      }),
    [Symbol.asyncDispose]: () => folder.remove(),
  };
}

async function makeDisk(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'root.qcow2'), 'what the user wrote');
}

for (const state of ['starting', 'running', 'stopping'] as const) {
  test(`a machine that runs is adopted although the record says ${state}`, async () => {
    await using host = await newHost(vmRecord({ state, startedAtMs: 5 }));
    host.machines.running.add(ID);
    await host.reconcile();
    assert.deepEqual(
      host.registry.get(ID),
      vmRecord({ state: 'running', startedAtMs: 5, hostAddress: ADDRESS }),
    );
    assert.deepEqual([...host.machines.adopted], [ID]);
    assert.deepEqual(host.toldRunning, [ID]);
    assert.deepEqual(host.toldInterrupted, state === 'stopping' ? [ID] : []);
    assert.ok(host.machines.running.has(ID));
  });

  test(`a VM whose machine is gone is stopped although the record says ${state}, and keeps its disk`, async () => {
    await using host = await newHost(vmRecord({ state }));
    await host.reconcile();
    assert.deepEqual(host.registry.get(ID), vmRecord({ state: 'stopped', stoppedAtMs: NOW }));
    assert.ok(existsSync(join(host.machines.folderOf(ID), 'root.qcow2')));
    assert.deepEqual(host.toldRunning, []);
  });
}

for (const state of ['creating', 'deleting'] as const) {
  test(`a VM that was being ${state === 'creating' ? 'created' : 'deleted'} is removed, machine and files included`, async () => {
    await using host = await newHost(vmRecord({ state }));
    host.machines.running.add(ID);
    await host.reconcile();
    assert.deepEqual(host.registry.list(), []);
    assert.equal(host.machines.running.has(ID), false);
    assert.deepEqual(await readdir(host.layout.vmsDir), []);
    assert.equal(existsSync(join(host.layout.stateDir, 'orphans')), false);
  });
}

test('a stopped VM is left as it is', async () => {
  await using host = await newHost(vmRecord({ stoppedAtMs: 7 }));
  await host.reconcile();
  assert.deepEqual(host.registry.get(ID), vmRecord({ stoppedAtMs: 7 }));
});

test('what was cut off while it was written is removed, whatever the VM is', async () => {
  const other = vmRecord({ id: 'cccccccccccc', name: 'other', state: 'running' });
  await using host = await newHost(vmRecord(), other);
  host.machines.running.add(other.id);
  for (const { id } of host.registry.list())
    await writeFile(join(host.machines.folderOf(id), '.handles.json.0123abcd.partial'), '{"mach');
  await host.reconcile();
  for (const { id } of host.registry.list())
    assert.deepEqual(await readdir(host.machines.folderOf(id)), ['root.qcow2']);
});

test('a machine that runs for a stopped VM is ended: nobody knows of it', async () => {
  await using host = await newHost(vmRecord({ stoppedAtMs: 7 }));
  host.machines.running.add(ID);
  await host.reconcile();
  assert.deepEqual(host.registry.get(ID), vmRecord({ stoppedAtMs: 7 }));
  assert.equal(host.machines.running.has(ID), false);
});

test('a VM to be removed when it stops is removed when its machine is gone, and adopted when it runs', async () => {
  const spec = { ...vmRecord().spec, autoRemove: true };
  const alive = vmRecord({ id: 'cccccccccccc', name: 'alive', state: 'running', spec });
  await using host = await newHost(vmRecord({ state: 'running', spec }), alive);
  host.machines.running.add(alive.id);
  await host.reconcile();
  assert.deepEqual(host.registry.list(), [{ ...alive, hostAddress: ADDRESS }]);
  assert.deepEqual(await readdir(host.layout.vmsDir), [alive.id]);
});

test('doing it again changes nothing', async () => {
  const states: VmState[] = ['creating', 'stopped', 'starting', 'running', 'stopping', 'error', 'deleting'];
  const records = states.map((state, index) =>
    vmRecord({ id: String(index).repeat(12), name: `vm-${index}`, state }),
  );
  await using host = await newHost(...records);
  host.machines.running.add(records[3]!.id);
  await host.reconcile();
  const first = host.registry.list();
  await host.reconcile();
  assert.deepEqual(host.registry.list(), first);
  assert.deepEqual(new Set(first.map(({ state }) => state)), new Set(['stopped', 'running']));
});

test('a VM that cannot be settled is marked with the reason, and the others are settled', async () => {
  const other = vmRecord({ id: 'cccccccccccc', name: 'other', state: 'running' });
  await using host = await newHost(vmRecord({ state: 'running' }), other);
  host.machines.stuck.add(ID);
  await host.reconcile();
  const { state, lastError } = host.registry.get(ID);
  assert.equal(state, 'error');
  assert.deepEqual(lastError, { code: 'INTERNAL', message: 'cannot take down' });
  assert.equal(host.registry.get(other.id).state, 'stopped');
});

test('a half-made VM that cannot be removed stays half made, so that the next start tries again', async () => {
  await using host = await newHost(vmRecord({ state: 'creating' }));
  host.machines.stuck.add(ID);
  await host.reconcile();
  assert.equal(host.registry.get(ID).state, 'creating');
  host.machines.stuck.clear();
  await host.reconcile();
  assert.deepEqual(host.registry.list(), []);
});

test('a store that was lost does not take the disks with it: they are put aside', async () => {
  await using host = await newHost();
  await makeDisk(host.machines.folderOf(ID));
  host.machines.running.add(ID);
  await host.reconcile();
  assert.equal(host.machines.running.has(ID), false);
  assert.deepEqual(await readdir(host.layout.vmsDir), []);
  const kept = join(host.layout.stateDir, 'orphans', ID, 'root.qcow2');
  assert.equal(await readFile(kept, 'utf8'), 'what the user wrote');
});

test('one that cannot be taken down keeps neither the others nor the daemon from going on', async () => {
  await using host = await newHost(vmRecord({ state: 'running' }));
  const [stuck, other] = ['aaaaaaaaaaaa', 'bbbbbbbbbbbb'];
  await Promise.all([stuck, other].map((id) => makeDisk(host.machines.folderOf(id))));
  host.machines.stuck.add(stuck);
  await host.reconcile();
  assert.equal(host.registry.get(ID).state, 'stopped');
  assert.deepEqual(await readdir(join(host.layout.stateDir, 'orphans')), [other]);
  assert.ok(existsSync(host.machines.folderOf(stuck)), 'left for the next start');
});

test('a folder without a record in which nothing was finished is removed', async () => {
  await using host = await newHost();
  const folder = host.machines.folderOf(ID);
  await mkdir(folder);
  await writeFile(join(folder, '.root.qcow2.0123abcd.partial'), 'half');
  await mkdir(join(host.layout.runtimeDir, 'vm', ID), { recursive: true });
  await host.reconcile();
  assert.deepEqual(await readdir(host.layout.vmsDir), []);
  assert.deepEqual(await readdir(join(host.layout.runtimeDir, 'vm')), []);
  assert.equal(existsSync(join(host.layout.stateDir, 'orphans')), false);
});

test('what is not named like a VM is not touched', async () => {
  await using host = await newHost();
  const names = ['notes', '0123456789AB', '0123456789abc', '.0123456789ab'];
  await Promise.all(names.map((name) => makeDisk(join(host.layout.vmsDir, name))));
  await host.reconcile();
  assert.deepEqual(new Set(await readdir(host.layout.vmsDir)), new Set(names));
});
