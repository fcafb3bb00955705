import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { MiB } from '#base/sizes.ts';
import { isUserError } from '#contract/errors.ts';
import type { Vm } from '#contract/owner/vm.ts';
import type { BangerClient } from '#sdk/index.ts';
import { FakeDaemonHome } from '../../support/fake-daemon.ts';

/** A change with every step that there is: on a VM that runs. */
const CHANGE = { name: 'web', diskBytes: 64 * MiB };
/** Every point at which a create, a start, a stop and a delete can be cut off, as the daemon itself names them. */
const POINTS = await recordPoints();

describe('kill -9 of the daemon', () => {
  it('knows every step of every operation', () => {
    for (const [operation, count] of Object.entries({
      create: 16,
      start: 12,
      stop: 4,
      kill: 2,
      set: 8,
      delete: 6,
    })) {
      assert.ok((POINTS[operation]?.length ?? 0) >= count, `${operation}: ${POINTS[operation]?.join(', ')}`);
    }
  });

  for (const point of POINTS['create'] ?? []) {
    const isCommitted = point === 'commit:after';
    it(`in a create at ${point} leaves ${isCommitted ? 'the VM' : 'nothing of the VM'}`, async () => {
      await using home = await FakeDaemonHome.create();
      await crash(home, point, (client) => client.vms.create({ name: 'demo' }));
      using client = await home.start();
      if (isCommitted) {
        await assertTrue(home, client);
        return;
      }
      assert.deepEqual(await client.vms.list(), []);
      assert.deepEqual(await home.vmFolders(), []);
      assert.deepEqual(await home.machines(), []);
    });
  }

  for (const point of POINTS['start'] ?? []) {
    it(`in a start at ${point} leaves a VM that is what it says`, async () => {
      await using home = await FakeDaemonHome.create();
      await prepare(home, { start: false });
      await crash(home, point, (client) => client.vms.start('demo'));
      using client = await home.start();
      await assertTrue(home, client);
      await (await client.vms.start('demo')).result();
      await (await client.vms.stop('demo')).result();
      assert.deepEqual(await home.machines(), []);
    });
  }

  for (const point of POINTS['stop'] ?? []) {
    it(`in a stop at ${point} ends in a VM that is stopped, and starts again`, async () => {
      await using home = await FakeDaemonHome.create();
      await prepare(home, { start: true });
      await crash(home, point, (client) => client.vms.stop('demo'));
      using client = await home.start();
      assert.notEqual((await client.vms.get('demo')).state, 'running');
      await client.vms.wait('demo', { timeoutMs: 10_000 });
      await assertTrue(home, client);
      assert.equal((await readDisk(home, client)).length > 0, true);
      assert.equal((await (await client.vms.start('demo')).result()).state, 'running');
    });
  }

  for (const point of POINTS['kill'] ?? []) {
    it(`in a kill at ${point} leaves a VM that is off and starts`, async () => {
      await using home = await FakeDaemonHome.create();
      await prepare(home, { start: true });
      await crash(home, point, (client) => client.vms.kill('demo'));
      using client = await home.start();
      assert.equal((await client.vms.get('demo')).state, 'stopped');
      assert.deepEqual(await home.machines(), []);
      assert.equal((await (await client.vms.start('demo')).result()).state, 'running');
    });
  }

  for (const point of POINTS['set'] ?? []) {
    it(`in a set at ${point} leaves a VM with all of the change or none of it, which takes the change again`, async () => {
      await using home = await FakeDaemonHome.create();
      const before = await prepare(home, { start: true });
      await crash(home, point, (client) => client.vms.set('demo', CHANGE));
      using client = await home.start();
      const after = await client.vms.get(before.id);
      const whole = { name: after.name, diskBytes: after.spec.diskBytes };
      const old = { name: before.name, diskBytes: before.spec.diskBytes };
      assert.deepEqual(whole, after.name === CHANGE.name ? CHANGE : old);
      assert.deepEqual([after.state, after.pid], ['running', before.pid]);
      const { vm } = await (await client.vms.set(before.id, CHANGE)).result();
      assert.deepEqual({ name: vm.name, diskBytes: vm.spec.diskBytes }, CHANGE);
    });
  }

  for (const point of POINTS['delete'] ?? []) {
    it(`in a delete at ${point} ends in a VM that is gone`, async () => {
      await using home = await FakeDaemonHome.create();
      await prepare(home, { start: true });
      await crash(home, point, (client) => client.vms.delete('demo', { force: true }));
      using client = await home.start();
      assert.deepEqual(await client.vms.list(), []);
      assert.deepEqual(await home.vmFolders(), []);
      assert.deepEqual(await home.machines(), []);
    });
  }

  it('while VMs run lets them run, and the next daemon adopts them', async () => {
    await using home = await FakeDaemonHome.create();
    const before = await prepare(home, { start: true });
    using first = await home.start();
    const { bootId } = await first.vms.ping('demo');
    await home.killDaemon();
    assert.equal((await home.machines()).length, 2, 'machine and network process');
    using client = await home.start();
    const vm = await client.vms.wait('demo', { for: 'agent', timeoutMs: 10_000 });
    assert.deepEqual([vm.pid, vm.id], [before.pid, before.id]);
    assert.equal((await client.vms.ping('demo')).bootId, bootId);
  });
});

/** What the store says is what the kernel says. */
async function assertTrue(home: FakeDaemonHome, client: BangerClient): Promise<void> {
  const vm = await client.vms.get('demo');
  const machines = await home.machines();
  if (vm.state === 'running') {
    assert.ok(machines.some(({ pid }) => pid === vm.pid));
    await client.vms.ping('demo');
  } else {
    assert.equal(vm.state, 'stopped');
    assert.deepEqual(machines, []);
  }
}

async function readDisk(home: FakeDaemonHome, client: BangerClient): Promise<Buffer> {
  const { id } = await client.vms.get('demo');
  return readFile(join(home.layout.vmsDir, id, 'root.qcow2'));
}

async function prepare(home: FakeDaemonHome, { start }: { start: boolean }): Promise<Vm> {
  using client = await home.start();
  const vm = await (await client.vms.create({ name: 'demo', start })).result();
  await client.stopDaemon();
  await home.daemonGone();
  return vm;
}

/** Starts a daemon that kills itself at `point` and has it run into that. */
async function crash(
  home: FakeDaemonHome,
  point: string,
  begin: (client: BangerClient) => Promise<{ result(): Promise<unknown> }>,
): Promise<void> {
  using client = await home.start({ crashAt: point });
  await assert.rejects(
    async () => (await begin(client)).result(),
    (error) => isUserError(error, 'DAEMON_UNREACHABLE'),
  );
  await home.daemonGone();
}

async function recordPoints(): Promise<Record<string, string[]>> {
  await using home = await FakeDaemonHome.create();
  const stepsLog = join(home.root, 'steps');
  using client = await home.start({ stepsLog });
  const read = async () => (await readFile(stepsLog, 'utf8').catch(() => '')).split('\n').filter(Boolean);
  const points: Record<string, string[]> = {};
  const operations: [string, () => Promise<{ result(): Promise<unknown> }>][] = [
    ['create', () => client.vms.create({ name: 'demo' })],
    ['stop', () => client.vms.stop('demo')],
    ['start', () => client.vms.start('demo')],
    ['kill', () => client.vms.kill('demo')],
    ['again', () => client.vms.start('demo')],
    ['set', () => client.vms.set('demo', CHANGE)],
    ['delete', () => client.vms.delete('web', { force: true })],
  ];
  for (const [name, begin] of operations) {
    const before = (await read()).length;
    await (await begin()).result();
    points[name] = (await read()).slice(before);
  }
  return points;
}
