import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '#base/log.ts';
import { UserError } from '#contract/errors.ts';
import type { MachineStatus } from '#hypervisor/hypervisor.ts';
import { openDatabase } from '#store/database.ts';
import { VmRepository } from '#store/vm-repository.ts';
import { vmRecord } from '../../../test/support/vm-record.ts';
import { StalledMachines } from './stalled-machines.ts';
import { VmRegistry } from './vm-registry.ts';

const machine = { process: { pid: 1, startTicks: 1 }, guestSocketPath: '/a', controlSocketPath: '/b' };

/** A VM that runs, and a host that has room or not. */
function place({ state = 'running' as const, isBusy = false } = {}) {
  const registry = new VmRegistry(new VmRepository(openDatabase(':memory:')));
  registry.add(vmRecord({ state }));
  const host = { hasRoom: true, isReserveFree: false, status: 'running' as MachineStatus };
  const stalled = new StalledMachines({
    registry,
    handles: { get: () => ({ machine }) },
    hypervisor: {
      status: async () => host.status,
      resume: async () => {
        host.isReserveFree = false; // what is free, its guest takes
        host.status = host.hasRoom ? 'running' : 'paused';
      },
    },
    isBusy: () => isBusy,
    hasRoom: async () => host.hasRoom,
    log: silentLogger,
  });
  return { host, stalled, error: () => registry.get(vmRecord().id).lastError?.code };
}

test('a machine that stands still says why, and goes on when there is room', async () => {
  const { host, stalled, error } = place();
  Object.assign(host, { hasRoom: false, status: 'paused' });
  await stalled.check();
  assert.deepEqual([host.status, error()], ['paused', 'HOST_DISK_FULL']);
  await stalled.check();
  assert.deepEqual([host.status, error()], ['paused', 'HOST_DISK_FULL']);
  host.hasRoom = true;
  await stalled.check();
  assert.equal(host.status, 'running');
  await stalled.check();
  assert.equal(error(), undefined);
});

test('a machine that waits is not given the room that the daemon keeps for itself', async () => {
  const { host, stalled, error } = place();
  Object.assign(host, { hasRoom: false, isReserveFree: true, status: 'paused' });
  await stalled.check();
  await stalled.check();
  assert.deepEqual([host.isReserveFree, error()], [true, 'HOST_DISK_FULL']);
});

test('a machine that runs says nothing', async () => {
  const { stalled, error } = place();
  await stalled.check();
  assert.equal(error(), undefined);
});

test('a machine that an operation paused stays paused', async () => {
  const { host, stalled, error } = place({ isBusy: true });
  host.status = 'paused';
  await stalled.check();
  assert.deepEqual([host.status, error()], ['paused', undefined]);
});

test('one that does not answer keeps the others from nothing', async () => {
  const registry = new VmRegistry(new VmRepository(openDatabase(':memory:')));
  registry.add(vmRecord({ state: 'running' }));
  const stalled = new StalledMachines({
    registry,
    handles: { get: () => ({ machine }) },
    hypervisor: {
      status: () => Promise.reject(new UserError('MACHINE_NOT_ANSWERING', 'Cannot reach it')),
      resume: () => Promise.reject(new Error('not asked for')),
    },
    isBusy: () => false,
    hasRoom: async () => true,
    log: silentLogger,
  });
  await stalled.check();
});
