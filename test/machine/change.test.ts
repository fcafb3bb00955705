import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Vm } from '#contract/owner/vm.ts';
import { createMachineHome } from '../support/artifacts.ts';
import type { TestHome } from '../support/test-home.ts';

describe('changing a VM', () => {
  let home: TestHome;

  before(async () => {
    home = await createMachineHome();
    await home.succeed(['vm', 'create', '--name', 'demo', '--memory', '256M', '--vcpu', '1']);
  });
  after(() => home[Symbol.asyncDispose]());

  const show = async (name: string): Promise<Vm> =>
    JSON.parse((await home.succeed(['vm', 'show', '--json', name])).text) as Vm;
  const inGuest = async (name: string, script: string): Promise<string> =>
    (await home.succeed(['vm', 'exec', name, '--', 'sh', '-c', script])).text.trim();

  it('makes the disk larger while it runs, and the file system on it', async () => {
    const before = await show('demo');
    const sizeOfRoot = 'df --block-size=1M --output=size / | tail -1';
    const [blocks, size] = [
      await inGuest('demo', 'cat /sys/block/vda/size'),
      await inGuest('demo', sizeOfRoot),
    ];
    await home.succeed(['vm', 'exec', 'demo', '--', 'sh', '-c', 'echo kept > /root/note']);
    const { stderr } = await home.succeed(['vm', 'set', '--disk-size', '12G', 'demo']);
    assert.doesNotMatch(stderr, /next start/);
    assert.ok(Number(await inGuest('demo', sizeOfRoot)) > Number(size) * 1.4, 'the file system grew');
    assert.ok(Number(blocks) > 0);
    const after = await show('demo');
    assert.deepEqual([after.pid, after.bootId, after.pendingChanges], [before.pid, before.bootId, undefined]);
    assert.equal(after.spec.diskBytes, 12 * 2 ** 30);
  });

  it('renames the guest while it runs', async () => {
    await home.succeed(['vm', 'rename', 'demo', 'web']);
    assert.equal(await inGuest('web', 'hostname; cat /etc/hostname'), 'web\nweb');
    assert.equal(await inGuest('web', 'getent hosts web | wc -l'), '1');
  });

  it('changes memory and vCPUs at the next start, and the rest is as it was', async () => {
    const before = await show('web');
    const { stderr } = await home.succeed(['vm', 'set', '--memory', '384M', '--vcpu', '2', 'web']);
    assert.match(stderr, /vCPUs, memory will change at its next start/);
    assert.equal(await inGuest('web', 'nproc'), '1');
    await home.succeed(['vm', 'restart', 'web']);
    const after = await show('web');
    assert.notEqual(after.bootId, before.bootId);
    assert.equal(await inGuest('web', 'nproc'), '2');
    // The second one was told how fast it is, rather than left to measure it.
    assert.equal(await inGuest('web', 'grep bogomips /proc/cpuinfo | sort -u | wc -l'), '1');
    const memoryMiB = Number(await inGuest('web', "awk '/MemTotal/ {print int($2 / 1024)}' /proc/meminfo"));
    assert.ok(memoryMiB > 280 && memoryMiB < 384, `${memoryMiB} MiB`);
    assert.equal(await inGuest('web', 'cat /root/note; hostname'), 'kept\nweb');
  });

  it('waits for systemd and for a port', async () => {
    await home.succeed(['vm', 'wait', '--for', 'systemd', '--timeout', '2m', 'web']);
    assert.match(await inGuest('web', 'systemctl is-system-running || true'), /^(running|degraded)$/);
    await home.succeed(['vm', 'wait', '--for', 'port:22', '--timeout', '1m', 'web']);
  });

  it('is killed at once, and starts again', async () => {
    await home.succeed(['vm', 'exec', 'web', '--', 'sh', '-c', 'echo safe > /root/safe; sync']);
    await home.succeed(['vm', 'kill', 'web']);
    assert.equal((await show('web')).state, 'stopped');
    await home.succeed(['vm', 'start', 'web']);
    assert.equal(await inGuest('web', 'cat /root/safe'), 'safe');
    await home.succeed(['vm', 'kill', '--signal', 'TERM', 'web']);
    assert.equal((await show('web')).state, 'stopped');
  });
});
