import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { signalProcess } from '#host/proc.ts';
import type { BangerClient, VmEvent } from '#sdk/index.ts';
import { FakeDaemonHome } from '../../support/fake-daemon.ts';
import { runBanger } from '../cli/run-banger.ts';
import { RunningBanger } from '../cli/spawn-banger.ts';

const TIMEOUT = { timeout: 60_000 };

function placeOf({ root }: FakeDaemonHome) {
  const env = {
    PATH: process.env['PATH'],
    HOME: root,
    XDG_STATE_HOME: join(root, 'state'),
    XDG_RUNTIME_DIR: join(root, 'run'),
  };
  return { env };
}

async function createVm(client: BangerClient, name: string, start = true): Promise<void> {
  await (await client.vms.create({ name, vcpus: 1, memoryMiB: 256, start })).result();
}

const inShort = ({ vm, kind, state }: VmEvent) =>
  `${vm.name} ${kind}${state === undefined ? '' : ` ${state}`}`;

describe('events', TIMEOUT, () => {
  it('tell the life of a VM, and stay when it is gone', async () => {
    await using home = await FakeDaemonHome.create();
    using client = await home.start();
    await createVm(client, 'demo');
    await (await client.vms.stop('demo')).result();
    await (await client.vms.set('demo', { vcpus: 2 })).result();
    await (await client.vms.set('demo', { name: 'other' })).result();
    await (await client.vms.delete('other')).result();
    const events = await client.events.list();
    assert.deepEqual(events.map(inShort), [
      'demo created creating',
      'demo state running',
      'demo state stopping',
      'demo state stopped',
      'demo changed',
      'other renamed',
      'other state deleting',
      'other removed',
    ]);
    assert.deepEqual(events[4]?.changed, ['vcpus']);
    assert.equal(events[5]?.previousName, 'demo');
    assert.deepEqual(await client.events.list({ vms: ['demo'] }), events);
    assert.deepEqual(await client.events.list({ after: events[5]?.seq ?? 0, limit: 1 }), events.slice(-1));
    assert.deepEqual(await client.events.list({ since: new Date(Date.now() + 60_000) }), []);
    await assert.rejects(client.events.list({ vms: ['nobody'] }), { code: 'VM_NOT_FOUND' });
  });

  it('are followed, and go on behind a restart of the daemon without one missing or twice', async () => {
    await using home = await FakeDaemonHome.create();
    using client = await home.start();
    await createVm(client, 'demo', false);
    const seen: VmEvent[] = [];
    const following = (async () => {
      for await (const event of client.events.follow()) seen.push(event);
    })();
    const ended = assert.rejects(following, { code: 'DAEMON_UNREACHABLE' });
    await (await client.vms.start('demo')).result();
    await client.stopDaemon();
    await ended;
    await home.daemonGone();
    for (const machine of await home.machines()) await signalProcess(machine, 'SIGKILL');
    using second = await home.start();
    for await (const event of second.events.follow({ after: seen.at(-1)?.seq ?? 0 })) {
      seen.push(event);
      if (event.state === 'stopped') break;
    }
    assert.deepEqual(seen.map(inShort), [
      'demo created creating',
      'demo state stopped',
      'demo state starting',
      'demo state running',
      'demo state stopped',
    ]);
    assert.deepEqual(await second.events.list(), seen);
  });

  it('name the reason of a failure', async () => {
    await using home = await FakeDaemonHome.create();
    using first = await home.start();
    await createVm(first, 'demo', false);
    await home.killDaemon();
    using client = await home.start({ fault: { kind: 'dies-at-start', stderr: 'no memory' } });
    const start = await client.vms.start('demo');
    await assert.rejects(start.result(), { code: 'MACHINE_START_FAILED' });
    const [last] = await client.events.list({ limit: 1 });
    assert.equal(last?.state, 'stopped');
    assert.equal(last?.error?.code, 'MACHINE_START_FAILED');
  });
});

describe('banger vm events', TIMEOUT, () => {
  it('prints a line for each, or one document', async () => {
    await using home = await FakeDaemonHome.create();
    using client = await home.start();
    await createVm(client, 'demo', false);
    const place = placeOf(home);
    const plain = await runBanger(place, ['vm', 'events', 'demo']);
    assert.match(plain.text, /^\S+Z {2}demo {2}created\n\S+Z {2}demo {2}stopped, was creating$/);
    const json = await runBanger(place, ['vm', 'events', '--json', '--since', '10m', '--tail', '1']);
    assert.equal((JSON.parse(json.text) as VmEvent[])[0]?.state, 'stopped');
    const unknown = await runBanger(place, ['vm', 'events', 'nobody']);
    assert.equal(unknown.status, 3);
    assert.match(unknown.stderr, /VM_NOT_FOUND/);
  });

  it('prints nothing where nothing has happened', async () => {
    await using home = await FakeDaemonHome.create();
    using _ = await home.start();
    const { text, status } = await runBanger(placeOf(home), ['vm', 'events', '--json']);
    assert.deepEqual([status, text], [0, '[]']);
  });

  it('follows until Ctrl-C, or until nobody reads', async () => {
    await using home = await FakeDaemonHome.create();
    using client = await home.start();
    const place = placeOf(home);
    const following = new RunningBanger(place, ['vm', 'events', '-f', '--json']);
    await createVm(client, 'demo', false);
    await following.says(/"state":"stopped"/);
    for (const line of following.stdout.trim().split('\n')) JSON.parse(line);
    following.interrupt();
    await following.ended;
    assert.equal(following.stderr, '');

    const left = new RunningBanger(place, ['vm', 'events', '-f']);
    await left.says(/stopped, was creating/);
    left.child.stdout.destroy();
    await (await client.vms.delete('demo')).result();
    await (await client.vms.create({ name: 'next', start: false })).result();
    await left.ended;
    assert.equal(left.stderr, '');
  });
});
