import assert from 'node:assert/strict';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pollUntil } from '#base/backoff.ts';
import { findProcess, findProcessesByCommandLine, signalProcess, type ProcessIdentity } from '#host/proc.ts';
import type { FsckReport, Vm } from '#sdk/index.ts';
import { createMachineHome } from '../support/artifacts.ts';
import type { TestHome } from '../support/test-home.ts';

const SMALL = ['--memory', '512M', '--vcpu', '1'];

/** What real parts do when they are taken away; test/machine/lifecycle.test.ts kills QEMU, and loses handles.json. */
describe('a VM', () => {
  let home: TestHome;

  before(async () => {
    home = await createMachineHome();
    await home.succeed(['vm', 'create', '--name', 'demo', ...SMALL]);
  });
  after(() => home[Symbol.asyncDispose]());

  it('whose network was killed says so and works otherwise; a restart heals it', async () => {
    const { id } = await show(home);
    const carriers = await networkOf(home, id);
    assert.ok(carriers.length > 0);
    for (const carrier of carriers) await signalProcess(carrier, 'SIGKILL');
    await until(home, ({ lastError }) => lastError?.code === 'NETWORK_LOST');
    assert.equal((await show(home)).state, 'running');
    await home.succeed(['vm', 'exec', 'demo', '--', 'true']);
    assert.deepEqual(await findings(home), [3, ['network-lost']]);
    const events = await home.succeed(['vm', 'events', 'demo']);
    assert.match(events.text, /NETWORK_LOST/);
    await home.succeed(['vm', 'restart', 'demo']);
    assert.equal((await show(home)).lastError, undefined);
    assert.ok((await networkOf(home, id)).length > 0);
    assert.deepEqual(await findings(home), [0, []]);
  });

  it('is adopted although handles.json names another process', async () => {
    const { id, pid } = await show(home);
    const path = join(home.layout.vmsDir, id, 'handles.json');
    const handles = JSON.parse(await readFile(path, 'utf8')) as { machine: { process: ProcessIdentity } };
    handles.machine.process = { pid: process.pid, startTicks: 1 };
    await writeFile(path, JSON.stringify(handles));
    await home.killDaemon();
    assert.equal((await show(home)).pid, pid);
    await home.succeed(['vm', 'exec', 'demo', '--', 'true']);
    assert.deepEqual(await findings(home), [0, []]);
  });

  it('that hangs answers an exec within a bound, and can be stopped and started', async () => {
    const { pid } = await show(home);
    const machine = await findProcess(pid as number);
    assert.ok(machine);
    await signalProcess(machine, 'SIGSTOP');
    const begin = performance.now();
    const { status, stderr } = await home.cli(['vm', 'exec', 'demo', '--', 'true']);
    assert.equal(status, 3, stderr);
    assert.match(stderr, /GUEST_NOT_ANSWERING/);
    assert.ok(performance.now() - begin < 30_000, 'bounded');
    const stopped = await home.succeed(['vm', 'stop', '--timeout', '2s', 'demo']);
    assert.match(stopped.stderr, /kill/);
    await home.succeed(['vm', 'start', 'demo']);
    await home.succeed(['vm', 'exec', 'demo', '--', 'true']);
  });

  it('that hangs can be deleted', async () => {
    await home.succeed(['vm', 'create', '--name', 'hung', ...SMALL]);
    const { pid } = await show(home, 'hung');
    const machine = await findProcess(pid as number);
    assert.ok(machine);
    await signalProcess(machine, 'SIGSTOP');
    await home.succeed(['vm', 'delete', '--force', 'hung']);
    assert.equal(await findProcess(machine.pid), undefined);
  });

  it('whose disk is gone does not start, says why, and starts again when the disk is put back', async () => {
    const { id } = await show(home);
    const disk = join(home.layout.vmsDir, id, 'root.qcow2');
    await home.succeed(['vm', 'stop', 'demo']);
    await rename(disk, `${disk}.away`);
    const { status, stderr } = await home.cli(['vm', 'start', 'demo']);
    assert.equal(status, 3);
    assert.match(stderr, /DISK_DAMAGED/);
    const { state, lastError } = await show(home);
    assert.deepEqual([state, lastError?.code], ['stopped', 'DISK_DAMAGED']);
    await rename(`${disk}.away`, disk);
    await home.succeed(['vm', 'start', 'demo']);
    assert.equal((await show(home)).lastError, undefined);
  });

  it('whose disk is gone or is no disk any more can be deleted', async () => {
    for (const damage of [rm, (path: string) => writeFile(path, 'not a disk')]) {
      await home.succeed(['vm', 'create', '--no-start', '--name', 'lost', ...SMALL]);
      const { id } = await show(home, 'lost');
      await damage(join(home.layout.vmsDir, id, 'root.qcow2'));
      assert.deepEqual(await findings(home), [3, ['disk-damaged']]);
      const { text } = await home.succeed(['fsck', '--repair']);
      assert.match(text, /REPAIRED {2}disk-damaged: VM lost/);
      const { state, lastError } = await show(home, 'lost');
      assert.deepEqual([state, lastError?.code], ['error', 'DISK_DAMAGED']);
      assert.match((await home.cli(['vm', 'start', 'lost'])).stderr, /DISK_DAMAGED/);
      await home.succeed(['vm', 'delete', 'lost']);
    }
    assert.deepEqual(await findings(home), [0, []]);
  });
});

async function show(home: TestHome, name = 'demo'): Promise<Vm> {
  const { text } = await home.succeed(['vm', 'show', '--json', name]);
  return JSON.parse(text) as Vm;
}

async function until(home: TestHome, holds: (vm: Vm) => boolean): Promise<void> {
  const isSo = async () => (holds(await show(home)) ? true : undefined);
  await pollUntil(isSo, { signal: AbortSignal.timeout(30_000), firstMs: 500, maxMs: 500 });
}

function networkOf(home: TestHome, id: string): Promise<ProcessIdentity[]> {
  const log = join(home.layout.runtimeDir, 'vm', id, 'passt.log');
  return findProcessesByCommandLine((argv) => argv.includes(log));
}

/** The exit status of a check, and what it finds. */
async function findings(home: TestHome): Promise<[number | null, string[]]> {
  const { status, text } = await home.cli(['fsck', '--json']);
  return [status, (JSON.parse(text) as FsckReport).findings.map(({ kind }) => kind)];
}
