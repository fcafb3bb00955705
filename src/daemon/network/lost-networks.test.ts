import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { silentLogger } from '#base/log.ts';
import { findProcess, type ProcessIdentity } from '#host/proc.ts';
import { openDatabase } from '#store/database.ts';
import { VmRepository, type VmRecord } from '#store/vm-repository.ts';
import { vmRecord } from '../../../test/support/vm-record.ts';
import type { Handles } from '../vm/handles.ts';
import { VmRegistry } from '../vm/vm-registry.ts';
import { LostNetworks } from './lost-networks.ts';

const ENDED = { pid: 1, startTicks: 1 };
const GUEST = { address: '10.77.0.2/24', gateway: '10.77.0.1', dns: [], mtu: 1500, mac: '52:54:00:00:00:01' };

interface Place {
  record: VmRecord;
  machine?: ProcessIdentity;
  network?: ProcessIdentity;
  isBusy?: boolean;
}

/** What the record says after one look. */
async function look({ record, machine, network, isBusy = false }: Place): Promise<string | undefined> {
  const registry = new VmRegistry(new VmRepository(openDatabase(':memory:')));
  registry.add(record);
  const handles: Handles = {
    ...(machine && { machine: { process: machine, guestSocketPath: '/a', controlSocketPath: '/b' } }),
    ...(network && { network: { process: network, guest: GUEST } }),
  };
  const networks = new LostNetworks({
    registry,
    handles: { get: () => handles },
    isBusy: () => isBusy,
    log: silentLogger,
    graceMs: 1,
  });
  await networks.check();
  return registry.get(record.id).lastError?.code;
}

async function self(): Promise<ProcessIdentity> {
  const stat = await findProcess(process.pid);
  assert.ok(stat);
  return { pid: stat.pid, startTicks: stat.startTicks };
}

const running = vmRecord({ state: 'running' });

test('a VM that runs without the process that carried its traffic says so', async () => {
  assert.equal(await look({ record: running, machine: await self(), network: ENDED }), 'NETWORK_LOST');
});

test('a VM with its network in order says nothing', async () => {
  assert.equal(await look({ record: running, machine: await self(), network: await self() }), undefined);
});

test('a VM that never had a network has lost none', async () => {
  assert.equal(await look({ record: running, machine: await self() }), undefined);
});

test('a machine that ended took its network with it', async () => {
  assert.equal(await look({ record: running, machine: ENDED, network: ENDED }), undefined);
});

test('a machine that is just ending is given the time to', async () => {
  const child = spawn('sleep', ['0.02']);
  const stat = await findProcess(child.pid as number);
  assert.ok(stat);
  const ended = once(child, 'exit');
  const registry = new VmRegistry(new VmRepository(openDatabase(':memory:')));
  registry.add(running);
  const machine = { process: stat, guestSocketPath: '/a', controlSocketPath: '/b' };
  const networks = new LostNetworks({
    registry,
    handles: { get: () => ({ machine, network: { process: ENDED, guest: GUEST } }) },
    isBusy: () => false,
    log: silentLogger,
    graceMs: 200,
  });
  await networks.check();
  await ended;
  assert.equal(registry.get(running.id).lastError, null);
});

test('what an operation works on is left to it', async () => {
  assert.equal(
    await look({ record: running, machine: await self(), network: ENDED, isBusy: true }),
    undefined,
  );
});

test('a VM that is stopped has no network to lose', async () => {
  assert.equal(await look({ record: vmRecord(), machine: await self(), network: ENDED }), undefined);
});
