import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { GiB } from '#base/sizes.ts';
import { signalProcess } from '#host/proc.ts';
import type { BangerClient } from '#sdk/index.ts';
import { FakeDaemonHome } from '../../support/fake-daemon.ts';

async function withVm(body: (client: BangerClient, home: FakeDaemonHome) => Promise<void>): Promise<void> {
  await using home = await FakeDaemonHome.create();
  using client = await home.start();
  await (await client.vms.create({ name: 'demo', vcpus: 1, memoryMiB: 256 })).result();
  await body(client, home);
}

describe('restart', () => {
  it('boots afresh, also a VM that is off', () =>
    withVm(async (client) => {
      const before = await client.vms.get('demo');
      const { vm: restarted } = await (await client.vms.restart('demo')).result();
      assert.equal(restarted.state, 'running');
      assert.notEqual(restarted.bootId, before.bootId);
      assert.notEqual(restarted.pid, before.pid);
      await (await client.vms.stop('demo')).result();
      const { vm, stop } = await (await client.vms.restart('demo')).result();
      assert.deepEqual([vm.state, stop], ['running', 'already-stopped']);
    }));

  it('keeps a VM that is removed when it stops', () =>
    withVm(async (client) => {
      await (await client.vms.set('demo', { autoRemove: true })).result();
      await (await client.vms.restart('demo')).result();
      assert.equal((await client.vms.get('demo')).state, 'running');
    }));
});

describe('kill', () => {
  it('ends the machine at once and leaves a VM that starts again', () =>
    withVm(async (client, home) => {
      assert.equal(await (await client.vms.kill('demo')).result(), 'killed');
      assert.equal((await client.vms.get('demo')).state, 'stopped');
      assert.deepEqual(await home.machines(), []);
      assert.equal(await (await client.vms.kill('demo')).result(), 'already-stopped');
      assert.equal((await (await client.vms.start('demo')).result()).state, 'running');
    }));

  it('sends the signal that is asked for, and says when the machine ended of it', () =>
    withVm(async (client) => {
      assert.equal(await (await client.vms.kill('demo', { killSignal: 'TERM' })).result(), 'killed');
      assert.equal((await client.vms.get('demo')).state, 'stopped');
    }));

  it('breaks off a start that hangs', async () => {
    await using home = await FakeDaemonHome.create();
    using client = await home.start();
    await (await client.vms.create({ name: 'demo', start: false })).result();
    await home.killDaemon();
    using second = await home.start({ fault: { kind: 'never-answers' } });
    const start = await second.vms.start('demo');
    for await (const { stage } of start) if (stage === 'wait-for-agent') break;
    await (await second.vms.kill('demo')).result();
    await assert.rejects(start.result(), { code: 'OPERATION_CANCELLED' });
    assert.equal((await second.vms.get('demo')).state, 'stopped');
    assert.deepEqual(await home.machines(), []);
  });

  it('breaks off a stop of a machine that hangs', () =>
    withVm(async (client) => {
      const { pid } = await client.vms.get('demo');
      assert.ok(pid);
      process.kill(pid, 'SIGSTOP');
      const stop = await client.vms.stop('demo', { timeoutMs: 120_000 });
      for await (const { stage } of stop) if (stage === 'power-off') break;
      await (await client.vms.kill('demo')).result();
      await stop.result();
      assert.equal((await client.vms.get('demo')).state, 'stopped');
    }));
});

describe('set', () => {
  it('changes a VM that is off, and its disk', () =>
    withVm(async (client, home) => {
      await (await client.vms.stop('demo')).result();
      const change = { vcpus: 2, memoryMiB: 512, diskBytes: 1 * GiB };
      const { vm, atNextStart } = await (await client.vms.set('demo', change)).result();
      assert.deepEqual(atNextStart, []);
      assert.deepEqual({ ...vm.spec, ...change }, vm.spec);
      await (await client.vms.start('demo')).result();
      const handles = JSON.parse(await readFile(join(home.layout.vmsDir, vm.id, 'handles.json'), 'utf8'));
      assert.deepEqual(handles.launched, { name: 'demo', ...change, network: 'user' });
    }));

  it('says what waits for the next start of a VM that runs, until that start', () =>
    withVm(async (client) => {
      const { atNextStart } = await (await client.vms.set('demo', { vcpus: 2, memoryMiB: 512 })).result();
      assert.deepEqual(atNextStart, ['vcpus', 'memoryMiB']);
      assert.deepEqual((await client.vms.get('demo')).pendingChanges, ['vcpus', 'memoryMiB']);
      const { vm: restarted } = await (await client.vms.restart('demo')).result();
      assert.equal(restarted.pendingChanges, undefined);
      assert.equal(restarted.spec.vcpus, 2);
    }));

  it('renames, also while it runs, and frees the old name', () =>
    withVm(async (client) => {
      const { vm } = await (await client.vms.set('demo', { name: 'web' })).result();
      assert.equal(vm.name, 'web');
      await assert.rejects(client.vms.get('demo'), { code: 'VM_NOT_FOUND' });
      await (await client.vms.create({ name: 'demo', start: false })).result();
      await assert.rejects((await client.vms.set('demo', { name: 'web' })).result(), {
        code: 'VM_NAME_TAKEN',
      });
    }));

  it('remembers what it changed after the daemon was killed', () =>
    withVm(async (client, home) => {
      await (await client.vms.set('demo', { vcpus: 2 })).result();
      await home.killDaemon();
      using next = await home.start();
      assert.deepEqual((await next.vms.get('demo')).pendingChanges, ['vcpus']);
    }));
});

describe('touch and addresses', () => {
  it('notes when a VM was used', () =>
    withVm(async (client) => {
      const before = Date.now();
      const { touchedAt } = await client.vms.touch('demo');
      assert.ok(touchedAt && Date.parse(touchedAt) >= before - 1);
    }));

  it('gives each VM an address of its own, for as long as it exists', () =>
    withVm(async (client) => {
      const others = await Promise.all(
        [1, 2, 3].map(async () => (await client.vms.create({ start: false })).result()),
      );
      const before = await client.vms.get('demo');
      const addresses = [before, ...others].map(({ hostAddress }) => hostAddress);
      for (const address of addresses) assert.match(address ?? '', /^127\.77\.\d+\.\d+$/);
      assert.equal(new Set(addresses).size, addresses.length);
      const { vm } = await (await client.vms.restart('demo')).result();
      assert.equal(vm.hostAddress, before.hostAddress);
    }));

  it('gives a VM without a network none', () =>
    withVm(async (client) => {
      const vm = await (await client.vms.create({ network: 'none', start: false })).result();
      assert.equal(vm.hostAddress, undefined);
    }));
});

describe('waiting', () => {
  it('waits for what only the guest knows, through a restart', () =>
    withVm(async (client) => {
      await (await client.vms.stop('demo')).result();
      const ready = client.vms.wait('demo', { for: 'systemd', timeoutMs: 30_000 });
      await (await client.vms.start('demo')).result();
      assert.equal((await ready).state, 'running');
      await assert.rejects(client.vms.wait('demo', { for: 'port:4999', timeoutMs: 300 }), {
        code: 'GUEST_NOT_ANSWERING',
      });
    }));

  it('ends when the machine is killed from outside', () =>
    withVm(async (client, home) => {
      const stopped = client.vms.wait('demo', { for: 'stopped', timeoutMs: 30_000 });
      for (const machine of await home.machines()) await signalProcess(machine, 'SIGKILL');
      assert.equal((await stopped).state, 'stopped');
    }));
});
