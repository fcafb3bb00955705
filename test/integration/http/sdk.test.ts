import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { BangerClient, type Operation, UserError } from '#sdk/index.ts';
import { ApiFixture } from './api-fixture.ts';

const deadline = (ms = 10_000) => ({ signal: AbortSignal.timeout(ms) });

describe('the SDK', { timeout: 60_000 }, () => {
  let api: ApiFixture;
  before(async () => {
    api = await ApiFixture.open();
  });
  after(() => api[Symbol.asyncDispose]());

  it('creates a VM and shows how far it is', async () => {
    const creation = await api.client.vms.create({ name: 'shown' });
    const seen: Operation[] = [];
    for await (const snapshot of creation) seen.push(snapshot);
    assert.equal(seen.at(-1)?.status, 'succeeded');
    const vm = await creation.result();
    assert.deepEqual([vm.name, vm.state], ['shown', 'running']);
    assert.deepEqual(await creation.result(), vm);
  });

  it('goes through the life of a VM', async () => {
    const { vms } = api.client;
    const { id } = await api.runningVm('alive');
    assert.equal((await vms.get('alive')).id, id);
    assert.ok((await vms.ping('alive')).roundTripMs >= 0);
    await assert.rejects(vms.delete('alive'), { code: 'VM_RUNNING' });
    assert.equal(await (await vms.stop('alive', { timeoutMs: 0 })).result(), 'killed');
    assert.equal((await vms.wait('alive')).state, 'stopped');
    assert.equal((await (await vms.start('alive')).result()).state, 'running');
    assert.equal(await (await vms.delete('alive', { force: true })).result(), undefined);
    assert.ok(!(await vms.list()).some((vm) => vm.id === id));
  });

  it('answers the other questions', async () => {
    const { client } = api;
    assert.equal((await client.host()).pid, process.pid);
    assert.equal((await client.doctor()).rows[0]?.check, 'kvm');
    assert.equal((await client.images.list()).available[0]?.name, 'debian-bookworm');
    assert.deepEqual(await client.kernels.list(), []);
    const [operation] = await client.operations.list();
    assert.ok(operation);
    assert.deepEqual(await client.operations.get(operation.id), operation);
  });

  it('throws what the daemon says', async () => {
    await api.runningVm('taken');
    await assert.rejects(api.client.vms.create({ name: 'taken' }), (error: unknown) => {
      assert.ok(error instanceof UserError);
      assert.equal(error.code, 'VM_NAME_TAKEN');
      return true;
    });
    await assert.rejects(api.client.vms.get('no/such vm?'), {
      code: 'VM_NOT_FOUND',
      message: /"no\/such vm\?"/,
    });
    await assert.rejects(api.client.operations.get('op-none'), { code: 'OPERATION_NOT_FOUND' });
    const broken = await api.client.vms.create({ name: 'broken' });
    await assert.rejects(broken.result(), { code: 'INTERNAL', details: { operationId: broken.id } });
  });

  it('waits no longer than told', async () => {
    await api.runningVm('steady');
    await assert.rejects(api.client.vms.wait('steady', { for: 'stopped', timeoutMs: 20 }), {
      code: 'GUEST_NOT_ANSWERING',
    });
    const reason = new Error('enough');
    const impatient = new AbortController();
    const waiting = api.client.vms.wait('steady', { signal: impatient.signal });
    impatient.abort(reason);
    await assert.rejects(waiting, reason);
  });

  it('leaves the operation running when its watcher aborts', async () => {
    const leaving = new AbortController();
    const creation = await api.client.vms.create({ name: 'stuck-left' }, { signal: leaving.signal });
    const result = creation.result();
    leaving.abort(new Error('left'));
    await assert.rejects(result, /left/);
    assert.equal((await api.client.operations.get(creation.id)).status, 'running');
    assert.equal((await api.client.operations.cancel(creation.id)).status, 'cancelled');
  });

  it('cancels the operation when its watcher aborts and asked for that', async () => {
    const leaving = new AbortController();
    const creation = await api.client.vms.create(
      { name: 'stuck-cancelled' },
      { signal: leaving.signal, cancelOnAbort: true },
    );
    const result = creation.result();
    leaving.abort(new Error('Ctrl-C'));
    await assert.rejects(result, /Ctrl-C/);
    assert.equal(creation.latest.status, 'cancelled');
  });

  it('tells a cancelled operation from a failed one', async () => {
    const creation = await api.client.vms.create({ name: 'stuck-again' });
    assert.equal((await creation.cancel()).status, 'cancelled');
    await assert.rejects(creation.result(), { code: 'OPERATION_CANCELLED' });
  });

  it('tells that the daemon went away while it watched', async () => {
    await using other = await ApiFixture.open();
    const creation = await other.client.vms.create({ name: 'stuck' });
    const result = creation.result();
    result.catch(() => {});
    await other.server.close();
    await assert.rejects(result, { code: 'DAEMON_UNREACHABLE' });
    await assert.rejects(other.client.vms.list(), {
      code: 'DAEMON_UNREACHABLE',
      hint: 'banger daemon status',
    });
  });
});

describe('connecting', { timeout: 60_000 }, () => {
  it('fails without a daemon', async () => {
    const socketPath = '/nonexistent/bangerd.sock';
    await assert.rejects(BangerClient.connect({ socketPath }), { code: 'DAEMON_UNREACHABLE' });
  });

  it('starts the daemon when it is told how, once for all who wait, and again when it is gone', async () => {
    await using api = await ApiFixture.open();
    await rm(api.folder, { recursive: true });
    const started: ApiFixture[] = [];
    const socketPath = join(api.folder, 'link.sock');
    const startDaemon = async () => {
      const other = await ApiFixture.open();
      started.push(other);
      await replaceSocket(other.socketPath, socketPath);
    };
    using client = await BangerClient.connect({ socketPath, startDaemon, ...deadline() });
    assert.equal(started.length, 1);
    await started[0]?.server.close();
    const lists = await Promise.all([client.vms.list(), client.vms.list(), client.vms.list()]);
    assert.deepEqual(lists, [[], [], []]);
    assert.equal(started.length, 2);
    for (const other of started) await other[Symbol.asyncDispose]();
  });

  it('passes on what starting the daemon throws', async () => {
    const startDaemon = async () => {
      throw new UserError('DAEMON_START_FAILED', 'Cannot start the daemon: no luck');
    };
    const connecting = BangerClient.connect({ socketPath: '/nonexistent/bangerd.sock', startDaemon });
    await assert.rejects(connecting, { code: 'DAEMON_START_FAILED' });
  });
});

async function replaceSocket(target: string, link: string): Promise<void> {
  const { mkdir, symlink } = await import('node:fs/promises');
  const { dirname } = await import('node:path');
  await mkdir(dirname(link), { recursive: true });
  await rm(link, { force: true });
  await symlink(target, link);
}
