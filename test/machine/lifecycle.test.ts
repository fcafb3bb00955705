import assert from 'node:assert/strict';
import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pollUntil } from '#base/backoff.ts';
import { isAlive, signalProcess, findProcess } from '#host/proc.ts';
import { createMachineHome } from '../support/artifacts.ts';
import type { TestHome } from '../support/test-home.ts';

const SMALL = ['--memory', '512M', '--vcpu', '1'];

describe('the life of a VM', () => {
  let home: TestHome;

  before(async () => {
    home = await createMachineHome();
    await home.succeed(['vm', 'create', '--name', 'demo', ...SMALL]);
  });
  after(() => home[Symbol.asyncDispose]());

  it('keeps a file that was written just before a stop', async () => {
    await home.succeed([
      'vm',
      'exec',
      'demo',
      '--',
      'sh',
      '-c',
      'head -c 5000000 /dev/urandom > /root/f; sha256sum /root/f > /root/sum',
    ]);
    await home.succeed(['vm', 'stop', 'demo']);
    assert.equal((await show(home)).state, 'stopped');
    await home.succeed(['vm', 'start', 'demo']);
    const { text } = await home.succeed(['vm', 'exec', 'demo', '--', 'sha256sum', '-c', '/root/sum']);
    assert.equal(text, '/root/f: OK');
  });

  it('gives each start another boot id, and stops and starts what is stopped or started without complaint', async () => {
    const first = await show(home);
    await home.succeed(['vm', 'start', 'demo']);
    assert.equal((await show(home)).bootId, first.bootId);
    await home.succeed(['vm', 'stop', 'demo']);
    await home.succeed(['vm', 'stop', 'demo']);
    await home.succeed(['vm', 'start', 'demo']);
    assert.notEqual((await show(home)).bootId, first.bootId);
  });

  it('goes on while the daemon is killed, and is adopted by the next', async () => {
    const before = await show(home);
    using client = await home.client();
    const command = await client.vms.exec('demo', { argv: ['sh', '-c', 'sleep 1; echo late > /root/late'] });
    void command.wait().catch(() => {}); // cut off with the daemon
    await home.killDaemon();
    const after = await show(home);
    assert.deepEqual([after.pid, after.state], [before.pid, 'running']);
    await home.succeed(['vm', 'wait', '--for', 'agent', 'demo']);
    const { text } = await home.succeed([
      'vm',
      'exec',
      'demo',
      '--',
      'cat',
      '/proc/sys/kernel/random/boot_id',
    ]);
    assert.equal(text, before.bootId);
  });

  it('goes on being stopped when the daemon is killed meanwhile', async () => {
    await home.succeed(['vm', 'wait', '--for', 'systemd', '--timeout', '60s', 'demo']);
    const slow = ['systemd-run', '--quiet', '--property=TimeoutStopSec=3'];
    await home.succeed(['vm', 'exec', 'demo', '--', ...slow, 'sh', '-c', "trap '' TERM; sleep 100"]);
    using client = await home.client();
    const machine = await findProcess((await client.vms.get('demo')).pid as number);
    assert.ok(machine);
    const stop = await client.vms.stop('demo');
    void stop.result().catch(() => {}); // cut off with the daemon
    const isStopping = async () => (await client.vms.get('demo')).state === 'stopping' || undefined;
    await pollUntil(isStopping, { signal: AbortSignal.timeout(10_000) });
    await home.killDaemon();
    assert.notEqual((await show(home)).state, 'running');
    await home.succeed(['vm', 'wait', '--for', 'stopped', '--timeout', '60s', 'demo']);
    assert.equal(await isAlive(machine), false);
    await home.succeed(['vm', 'start', 'demo']);
  });

  it('is adopted also when handles.json is lost or damaged', async () => {
    const { id, pid } = await show(home);
    const path = join(home.layout.vmsDir, id, 'handles.json');
    for (const damage of [() => rm(path), () => writeFile(path, '{"machine":{"pid":')]) {
      await damage();
      await home.killDaemon();
      assert.equal((await show(home)).pid, pid);
      await home.succeed(['vm', 'exec', 'demo', '--', 'true']);
    }
  });

  it('leaves VMs running when the daemon is stopped', async () => {
    const { pid } = await show(home);
    await home.succeed(['daemon', 'stop']);
    assert.ok(await findProcess(pid as number));
    assert.equal((await show(home)).pid, pid);
  });

  it('notices that the guest powered itself off', async () => {
    await home.cli(['vm', 'exec', 'demo', '--', 'sh', '-c', 'systemctl poweroff --force --force']);
    await home.succeed(['vm', 'wait', '--for', 'stopped', '--timeout', '60s', 'demo']);
    await home.succeed(['vm', 'start', 'demo']);
  });

  it('settles a VM whose machine was killed', async () => {
    const { pid } = await show(home);
    const machine = await findProcess(pid as number);
    assert.ok(machine);
    await signalProcess(machine, 'SIGKILL');
    await home.succeed(['vm', 'wait', '--for', 'stopped', '--timeout', '20s', 'demo']);
    assert.deepEqual(await readdir(join(home.layout.runtimeDir, 'vm')), []);
    await home.succeed(['vm', 'start', 'demo']);
  });

  it('stops a guest that hangs within the bound, and says that it was killed', async () => {
    const { pid } = await show(home);
    const machine = await findProcess(pid as number);
    assert.ok(machine);
    await signalProcess(machine, 'SIGSTOP');
    const { stderr } = await home.succeed(['vm', 'stop', '--timeout', '3s', 'demo']);
    assert.match(stderr, /kill/);
    assert.equal(await isAlive(machine), false);
    assert.equal((await show(home)).state, 'stopped');
    await home.succeed(['vm', 'start', 'demo']);
  });

  it('refuses to delete a running VM without --force', async () => {
    const { status, stderr } = await home.cli(['vm', 'delete', 'demo']);
    assert.equal(status, 3);
    assert.match(stderr, /VM_RUNNING/);
    assert.equal((await show(home)).state, 'running');
  });

  it('gives a VM all of the CPUs that were asked for', async () => {
    const { text } = await home.succeed([
      'vm',
      'run',
      '--rm',
      '--vcpu',
      '8',
      '--memory',
      '512M',
      '--',
      'nproc',
    ]);
    assert.equal(text, '8');
  });

  it('grows the file system when the disk is larger than the image', async () => {
    await home.succeed(['vm', 'create', '--name', 'large', '--disk-size', '20G', ...SMALL]);
    const { text } = await home.succeed(['vm', 'exec', 'large', '--', 'df', '--output=size', '-BM', '/']);
    assert.ok(Number.parseInt(text.split('\n')[1] ?? '', 10) >= 19_000, text);
    await home.succeed(['vm', 'delete', '--force', 'large']);
  });

  it('removes a VM with --rm also when it is stopped from inside', async () => {
    using client = await home.client();
    const { id } = await (
      await client.vms.create({ name: 'gone', autoRemove: true, memoryMiB: 512, vcpus: 1 })
    ).result();
    await (await client.vms.stop(id)).result();
    await assert.rejects(client.vms.get(id), { code: 'VM_NOT_FOUND' });
    assert.equal((await readdir(home.layout.vmsDir)).includes(id), false);
  });

  it('keeps the console, and shows it', async () => {
    const { id } = await show(home);
    const console = await readFile(join(home.layout.vmsDir, id, 'console.log'), 'utf8');
    const { stdout } = await home.succeed(['vm', 'logs', '--tail', '100', 'demo']);
    assert.ok(console.endsWith(stdout.toString().slice(-20)));
  });
});

async function show(home: TestHome): Promise<{ id: string; state: string; pid?: number; bootId?: string }> {
  const { text } = await home.succeed(['vm', 'show', '--json', 'demo']);
  return JSON.parse(text) as { id: string; state: string; pid?: number; bootId?: string };
}
