import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathExists } from '#host/files.ts';
import { findProcess, isAlive, waitForProcessExit, type ProcessIdentity } from '#host/proc.ts';
import { fakeMachineName } from '#hypervisor/fake/fake-machine-plan.ts';
import type { BangerClient, Finding, FindingKind } from '#sdk/index.ts';
import { openDatabase } from '#store/database.ts';
import { FakeDaemonHome } from '../../support/fake-daemon.ts';

const UNKNOWN = 'abcdefabcdef';

describe('fsck', () => {
  let home: FakeDaemonHome;
  let client: BangerClient;
  let stoppedId: string;
  let runningId: string;
  const strays: ProcessIdentity[] = [];

  before(async () => {
    home = await FakeDaemonHome.create();
    client = await home.start();
    stoppedId = (await (await client.vms.create({ name: 'halted', start: false })).result()).id;
    runningId = (await (await client.vms.create({ name: 'awake' })).result()).id;
  });
  afterEach(async () => {
    for (const { pid } of strays.splice(0)) process.kill(pid, 'SIGKILL');
    assert.deepEqual(await wrong(), [], 'a test leaves the home as it should be');
  });
  after(async () => {
    client.close();
    await home[Symbol.asyncDispose]();
  });

  const found = async () => (await client.fsck.check()).findings;
  const wrong = async () => (await found()).filter(({ severity }) => severity !== 'info');
  const folderOf = (id: string) => join(home.layout.vmsDir, id);

  /** What looks like a machine of this VM in this home's runtime folder, but is only asleep. */
  async function stray(id: string, runtimeDir = home.layout.runtimeDir): Promise<ProcessIdentity> {
    const words = ['-e', 'setTimeout(() => {}, 60_000)', fakeMachineName(id), join(runtimeDir, 'vm', id)];
    const child = spawn(process.execPath, words, { stdio: 'ignore', detached: true });
    child.unref();
    await once(child, 'spawn');
    const stat = await findProcess(child.pid as number);
    assert.ok(stat);
    return stat;
  }

  /** Exactly this is found, and nothing of it is left by a repair. */
  async function repairs(kind: FindingKind, about: Partial<Finding> = {}): Promise<Finding> {
    const findings = await wrong();
    const [finding] = findings;
    assert.deepEqual(
      findings.map((one) => one.kind),
      [kind],
      JSON.stringify(findings),
    );
    assert.ok(finding?.repair);
    for (const [name, value] of Object.entries(about))
      assert.deepEqual(finding[name as keyof Finding], value);
    const { repaired, failed, remaining } = await client.fsck.repair();
    assert.deepEqual([repaired.map((one) => one.kind), failed], [[kind], []]);
    assert.deepEqual(
      remaining.filter(({ severity }) => severity !== 'info'),
      [],
    );
    return finding;
  }

  it('finds nothing where everything is in order', async () => {
    assert.deepEqual(await found(), []);
  });

  it('finds nothing of a start that was cancelled, at whichever step', async () => {
    for (const afterMs of [0, 10, 25, 50, 80, 120]) {
      const operation = await client.vms.start('halted');
      await sleep(afterMs);
      await operation.cancel();
      assert.deepEqual(await wrong(), [], `cancelled after ${afterMs} ms`);
      await (await client.vms.stop('halted')).result();
    }
  });

  it('ends a machine of a VM that no row knows', async () => {
    const process = await stray(UNKNOWN);
    await repairs('machine-without-vm', { pid: process.pid, vm: { id: UNKNOWN } });
    await waitForProcessExit(process, { signal: AbortSignal.timeout(5000) });
  });

  it('ends a machine of a VM that is stopped', async () => {
    const process = await stray(stoppedId);
    await repairs('machine-without-vm', { pid: process.pid, vm: { id: stoppedId, name: 'halted' } });
  });

  it('ends the second machine of a VM, never the first', async () => {
    const { pid } = await client.vms.get('awake');
    const process = await stray(runningId);
    await repairs('second-machine', { pid: process.pid });
    assert.equal((await client.vms.get('awake')).pid, pid);
    await client.vms.ping('awake');
  });

  it('does not see the machines of another home', async () => {
    strays.push(await stray(UNKNOWN, join(home.root, 'elsewhere')));
    assert.deepEqual(await found(), []);
    assert.ok(await isAlive(strays[0] as ProcessIdentity));
  });

  it('does not touch what only mentions a machine', async () => {
    const log = join(home.layout.runtimeDir, 'vm', runningId, 'fake-machine.log');
    const child = spawn('tail', ['-f', '-n', '0', log], { stdio: 'ignore' });
    try {
      assert.deepEqual(await found(), []);
    } finally {
      child.kill();
      await once(child, 'exit');
    }
  });

  it('ends a network process that nobody uses', async () => {
    const folder = join(home.layout.runtimeDir, 'vm', stoppedId);
    await mkdir(folder);
    await writeFile(join(folder, 'net.sock'), '');
    spawn('tail', ['--follow', join(folder, 'net.sock')], { stdio: 'ignore', detached: true }).unref();
    const kinds = (await wrong()).map(({ kind }) => kind);
    assert.deepEqual(kinds, ['network-without-machine', 'runtime-folder-left']);
    const { failed, remaining } = await client.fsck.repair();
    assert.deepEqual([failed, remaining], [[], []]);
    assert.equal(await pathExists(folder), false);
  });

  it('removes a runtime folder that nobody uses', async () => {
    const folder = join(home.layout.runtimeDir, 'vm', UNKNOWN);
    await mkdir(folder);
    await repairs('runtime-folder-left', { path: folder });
    assert.equal(await pathExists(folder), false);
  });

  it('removes what was cut off while it was written', async () => {
    const path = join(folderOf(stoppedId), '.root.qcow2.0123abcd.partial');
    await writeFile(path, 'half');
    await repairs('temporary-file', { path });
    assert.equal(await pathExists(path), false);
  });

  it('puts a folder without a row aside when there is a disk in it', async () => {
    await mkdir(folderOf(UNKNOWN));
    await writeFile(join(folderOf(UNKNOWN), 'root.qcow2'), 'what somebody wrote');
    await repairs('folder-without-row', { path: folderOf(UNKNOWN) });
    const kept = join(home.layout.stateDir, 'orphans', UNKNOWN);
    assert.equal(await readFile(join(kept, 'root.qcow2'), 'utf8'), 'what somebody wrote');
    assert.deepEqual(
      (await found()).map(({ kind, path, severity }) => [kind, path, severity]),
      [['orphan', kept, 'info']],
    );
    await rm(join(home.layout.stateDir, 'orphans'), { recursive: true });
  });

  it('removes a folder without a row in which nothing was finished', async () => {
    await mkdir(folderOf(UNKNOWN));
    await writeFile(join(folderOf(UNKNOWN), '.root.qcow2.0123abcd.partial'), '');
    await repairs('folder-without-row');
    assert.equal(await pathExists(join(home.layout.stateDir, 'orphans')), false);
  });

  for (const [title, damage] of [
    ['lost', (path: string) => rm(path)],
    ['cut off', (path: string) => writeFile(path, '{"machine":{"process":')],
    ['of another process', replacePid],
  ] as const) {
    it(`writes handles.json again when it is ${title}`, async () => {
      const path = join(folderOf(runningId), 'handles.json');
      const before = JSON.parse(await readFile(path, 'utf8')) as unknown;
      await damage(path);
      await repairs('handles-wrong', { path });
      assert.deepEqual(JSON.parse(await readFile(path, 'utf8')), before);
    });
  }

  it('removes a handles.json that speaks of nothing', async () => {
    const path = join(folderOf(stoppedId), 'handles.json');
    await writeFile(path, '{"mach');
    await repairs('handles-wrong', { path });
    assert.equal(await pathExists(path), false);
  });

  it('marks a VM whose disk is missing; it can be deleted', async () => {
    await (await client.vms.create({ name: 'lost', start: false })).result();
    const { id } = await client.vms.get('lost');
    await rm(join(folderOf(id), 'root.qcow2'));
    await repairs('disk-damaged', { vm: { id, name: 'lost' } });
    const { state, lastError } = await client.vms.get('lost');
    assert.deepEqual([state, lastError?.code], ['error', 'DISK_DAMAGED']);
    assert.deepEqual(
      (await found()).map(({ kind, severity }) => [kind, severity]),
      [['disk-damaged', 'info']],
    );
    await assert.rejects(async () => (await client.vms.start('lost')).result(), { code: 'DISK_DAMAGED' });
    await (await client.vms.delete('lost')).result();
  });

  it('says that a VM whose disk is gone still has it open while it runs', async () => {
    const path = join(folderOf(runningId), 'root.qcow2');
    const disk = await readFile(path);
    await rm(path);
    const [finding] = await wrong();
    assert.deepEqual([finding?.kind, finding?.repair], ['disk-damaged', undefined]);
    await writeFile(path, disk, { mode: 0o600 });
  });

  it('removes what builds of images and kernels left', async () => {
    const { imagesDir, kernelsDir } = home.layout;
    const partial = join(imagesDir, '.abcdefabcdef.partial');
    const unknown = join(kernelsDir, 'abcdefabcdef');
    for (const folder of [partial, unknown]) await mkdir(folder);
    assert.deepEqual(
      (await wrong()).map(({ kind, path }) => [kind, path]),
      [
        ['temporary-folder', partial],
        ['kernel-without-row', unknown],
      ],
    );
    const { repaired, remaining } = await client.fsck.repair();
    assert.deepEqual([repaired.length, remaining], [2, []]);
  });

  it('forgets a row whose files are gone', async () => {
    const database = openDatabase(home.layout.databasePath);
    database
      .prepare(
        `INSERT INTO images (id, name, source, architecture, virtual_bytes, allocated_bytes, created_at_ms)
           SELECT ?, ?, source, architecture, virtual_bytes, allocated_bytes, created_at_ms FROM images`,
      )
      .run('abcdefabcdef', 'ghost');
    database.close();
    await repairs('image-without-files');
    assert.equal(
      (await client.images.list()).images.some(({ name }) => name === 'ghost'),
      false,
    );
  });

  for (const [state, end] of [
    ['starting', 'stopped'],
    ['stopping', 'stopped'],
    ['deleting', undefined],
  ] as const) {
    it(`does not leave a VM in "${state}" that nobody works on`, async () => {
      const { id } = await (await client.vms.create({ name: 'halfway', start: false })).result();
      const database = openDatabase(home.layout.databasePath);
      database.prepare('UPDATE vms SET state = ? WHERE id = ?').run(state, id);
      database.close();
      await repairs('unfinished-state', { vm: { id, name: 'halfway' } });
      const now = (await client.vms.list()).find((vm) => vm.id === id);
      assert.equal(now?.state, end);
      if (now) await (await client.vms.delete(id)).result();
    });
  }

  it('puts a VM aside whose row is damaged; the daemon starts with it, and the others work', async () => {
    const { id } = await (await client.vms.create({ name: 'garbled', start: false })).result();
    await damageRow('garbled');
    await home.killDaemon();
    client.close();
    client = await home.start();
    assert.deepEqual((await client.vms.list()).map(({ name }) => name).toSorted(), ['awake', 'halted']);
    await client.vms.wait('awake', { for: 'agent', timeoutMs: 10_000 });
    assert.ok(await pathExists(join(folderOf(id), 'root.qcow2')), 'its files stay');
    const finding = await repairs('row-damaged', { vm: { id, name: 'garbled' } });
    assert.match(finding.reason, /spec/);
    const kept = join(home.layout.stateDir, 'orphans', id);
    assert.match(await readFile(join(kept, 'row.json'), 'utf8'), /"name": "garbled"/);
    assert.ok(await pathExists(join(kept, 'root.qcow2')));
    await (await client.vms.create({ name: 'garbled', start: false })).result();
    await (await client.vms.delete('garbled')).result();
    await rm(join(home.layout.stateDir, 'orphans'), { recursive: true });
  });

  async function damageRow(name: string): Promise<void> {
    const database = openDatabase(home.layout.databasePath);
    database.prepare(`UPDATE vms SET spec = '{"image":' WHERE name = ?`).run(name);
    database.close();
  }

  it('leaves a VM alone that something works on', async () => {
    const creations = ['one', 'two', 'three'].map((name) => client.vms.create({ name }));
    const operations = await Promise.all(creations);
    for (let round = 0; round < 20; round += 1) assert.deepEqual(await wrong(), []);
    for (const operation of operations) await operation.result();
    const deletions = ['one', 'two', 'three'].map((name) => client.vms.delete(name, { force: true }));
    for (const deletion of await Promise.all(deletions)) {
      assert.deepEqual(await wrong(), []);
      await deletion.result();
    }
  });
});

async function replacePid(path: string): Promise<void> {
  const handles = JSON.parse(await readFile(path, 'utf8')) as { machine: { process: { pid: number } } };
  handles.machine.process.pid = 1;
  await writeFile(path, JSON.stringify(handles));
}
