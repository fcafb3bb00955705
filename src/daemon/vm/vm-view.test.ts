import assert from 'node:assert/strict';
import { test } from 'node:test';
import { vmSchema } from '#contract/owner/vm.ts';
import { vmRecord } from '../../../test/support/vm-record.ts';
import { viewVm } from './vm-view.ts';

const GUEST = { address: '10.77.0.2/24', gateway: '10.77.0.1', dns: [], mtu: 1500, mac: '52:54:00:00:00:01' };

test('a VM that never ran is its record, with the absent left out', () => {
  const { id, name, state, spec, imageId, kernelId } = vmRecord();
  assert.deepEqual(viewVm(vmRecord(), {}, undefined), {
    id,
    name,
    state,
    spec,
    imageId,
    kernelId,
    published: [],
    createdAt: '2023-11-14T22:13:20.000Z',
  });
});

test('while it runs, its address without the prefix and the pid of its machine are told', () => {
  const process = { pid: 77, startTicks: 1 };
  const handles = {
    machine: { process, guestSocketPath: '/g', controlSocketPath: '/c' },
    network: { guest: GUEST },
  };
  const view = viewVm(vmRecord({ state: 'running', startedAtMs: 0 }), handles, undefined);
  assert.equal(view.address, '10.77.0.2');
  assert.equal(view.pid, 77);
  assert.equal(view.startedAt, '1970-01-01T00:00:00.000Z');
  assert.equal('bootId' in view, false);
});

test('what the API sends is what its schema says', () => {
  const lastError = { code: 'MACHINE_DIED', message: 'Cannot start "demo"' };
  const record = vmRecord({ state: 'error', startedAtMs: 1, stoppedAtMs: 2, lastError });
  const view = viewVm(record, { network: { guest: GUEST } }, undefined);
  assert.deepEqual(vmSchema.strict().parse(view), view);
});

test('what the machine was launched with is compared with the record, once that is known', () => {
  const machine = { process: { pid: 77, startTicks: 1 }, guestSocketPath: '/g', controlSocketPath: '/c' };
  const { name, spec } = vmRecord();
  const { vcpus, memoryMiB, diskBytes, network } = spec;
  const launched = { name, vcpus, memoryMiB, diskBytes, network };
  const view = (differences: Partial<typeof launched>) =>
    viewVm(vmRecord(), { machine, launched: { ...launched, ...differences } }, undefined).pendingChanges;
  assert.equal(view({}), undefined);
  assert.deepEqual(view({ vcpus: vcpus + 1, name: 'before' }), ['name', 'vcpus']);
  assert.equal(viewVm(vmRecord(), { machine }, undefined).pendingChanges, undefined);
});
