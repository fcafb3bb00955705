import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { pollUntil } from '#base/backoff.ts';
import type { Vm } from '#sdk/index.ts';
import { ApiFixture } from './api-fixture.ts';

describe('what VMs use, over HTTP', { timeout: 60_000 }, () => {
  let api: ApiFixture;
  let vm: Vm;
  before(async () => {
    api = await ApiFixture.open();
    vm = await api.runningVm('demo');
    await (await api.client.vms.stop((await api.runningVm('down')).id)).result();
  });
  after(() => api[Symbol.asyncDispose]());

  it('one VM, with and without history', async () => {
    const { stats } = api.client;
    const one = await stats.get('demo');
    assert.deepEqual(one.vm, { id: vm.id, name: 'demo' });
    assert.equal(one.machine?.cpuPercent, 2.5);
    assert.equal(one.history, undefined);
    assert.deepEqual((await stats.get(vm.id, { history: 3 })).history?.length, 3);
    assert.deepEqual((await stats.get(vm.id, { history: 0 })).history, []);
  });

  it('all that run', async () => {
    const all = await api.client.stats.list();
    assert.deepEqual(
      all.map(({ vm: { name } }) => name),
      ['demo'],
    );
  });

  it('refuses what cannot be', async () => {
    const { stats } = api.client;
    await assert.rejects(stats.get('none'), { code: 'VM_NOT_FOUND' });
    await assert.rejects(stats.get('down'), { code: 'VM_NOT_RUNNING' });
    for (const history of [-1, 1.5, 361]) {
      await assert.rejects(stats.get('demo', { history }), { code: 'INVALID_ARGUMENT' });
    }
    const leaving = AbortSignal.abort(new Error('enough'));
    await assert.rejects(stats.list({ signal: leaving }), /enough/);
  });

  it('a command uses its VM from its start until its connection is gone', async () => {
    const uses = () => api.services.activity.openUses.get(vm.id) ?? 0;
    const command = await api.client.vms.exec('demo', { argv: ['cat'] });
    assert.equal(uses(), 1);
    const other = await api.client.vms.exec('demo', { argv: ['cat'] });
    assert.equal(uses(), 2);
    for (const one of [command, other]) {
      one.stdout.resume();
      one.stdin.end();
      await one.wait();
    }
    await pollUntil(() => (uses() === 0 ? true : undefined), { signal: AbortSignal.timeout(5000) });
    await assert.rejects(api.client.vms.exec('none', { argv: ['true'] }), { code: 'VM_NOT_FOUND' });
    assert.equal(uses(), 0);
  });
});
