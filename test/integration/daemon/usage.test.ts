import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { delay, pollUntil } from '#base/backoff.ts';
import type { BangerClient, Vm, VmStatsReport } from '#sdk/index.ts';
import { FakeDaemonHome } from '../../support/fake-daemon.ts';

const deadline = (ms = 20_000) => ({ signal: AbortSignal.timeout(ms) });

describe('what VMs use', { timeout: 120_000 }, () => {
  it('is measured now and kept as history', async () => {
    await using home = await homeWith('stats_poll_interval = "1s"\n');
    using client = await home.start();
    const { id } = await run(client, 'demo');
    const now = await client.stats.get('demo');
    assert.ok(now.machine && now.machine.cpuMs > 0 && (now.machine.rssBytes ?? 0) > 0);
    assert.ok((now.machine.pssBytes ?? 0) > 0);
    assert.ok((now.machine.cpuPercent ?? -1) >= 0);
    assert.equal(now.disk?.virtualBytes, 16 * 2 ** 20);
    assert.ok(now.disk.allocatedBytes > 0);
    assert.deepEqual(now.guest?.load, [0.5, 0.25, 0.1]);
    assert.deepEqual([now.guest.receivedBytes, now.guest.sentBytes], [1000, 2000]);
    const { history = [] } = await reportOf(client, (report) => (report.history?.length ?? 0) >= 3);
    assert.ok(history.every(({ guest, machine }) => guest && machine));
    assert.deepEqual(
      (await client.stats.list()).map(({ vm }) => vm),
      [{ id, name: 'demo' }],
    );
  });

  it('is told without the guest when that hangs, with no delay for the others', async () => {
    await using home = await homeWith('stats_poll_interval = "1s"\n');
    using client = await home.start();
    const { pid = 0 } = await run(client, 'hung');
    await run(client, 'demo');
    process.kill(pid, 'SIGSTOP');
    try {
      const hung = await reportOf(client, ({ guest }) => guest === undefined, 'hung');
      assert.ok(hung.machine?.rssBytes && hung.disk);
      const begin = performance.now();
      const all = await client.stats.list();
      assert.ok(performance.now() - begin < 2000);
      assert.deepEqual(
        all.map(({ vm, guest }) => [vm.name, guest !== undefined]),
        [
          ['hung', false],
          ['demo', true],
        ],
      );
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await reportOf(client, ({ guest }) => guest !== undefined, 'hung');
  });

  it('keeps no daemon from stopping while a guest that hangs is being asked', async () => {
    await using home = await homeWith('stats_poll_interval = "1s"\n');
    using client = await home.start();
    const { pid = 0 } = await run(client, 'hung');
    process.kill(pid, 'SIGSTOP');
    try {
      await delay(1500);
      const begin = performance.now();
      await client.stopDaemon();
      await home.daemonGone();
      assert.ok(performance.now() - begin < 1500);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  });

  it('is of the machine that runs: gone when it stops, anew when it starts, on after the daemon', async () => {
    await using home = await homeWith('stats_poll_interval = "1s"\n');
    using client = await home.start();
    await run(client, 'demo');
    await reportOf(client, (report) => (report.history?.length ?? 0) >= 2);
    await (await client.vms.stop('demo', { timeoutMs: 0 })).result();
    await assert.rejects(client.stats.get('demo'), { code: 'VM_NOT_RUNNING' });
    assert.deepEqual(await client.stats.list(), []);
    await (await client.vms.start('demo')).result();
    const { uptimeMs } = await client.stats.get('demo');
    await home.killDaemon();
    using next = await home.start();
    const after = await next.stats.get('demo');
    assert.ok(after.uptimeMs > uptimeMs && after.machine);
  });
});

describe('a VM that nobody uses', { timeout: 120_000 }, () => {
  it('is stopped; one that is used or computes is not', async () => {
    await using home = await homeWith('stats_poll_interval = "1s"\nauto_stop_stale_after = "1s"\n');
    using client = await home.start();
    await run(client, 'idle');
    await run(client, 'used');
    await run(client, 'never', { autoStopAfterMs: 0 });
    const shell = await client.vms.exec('used', { argv: ['cat'] });
    shell.stdout.resume();
    await client.vms.wait('idle', { for: 'stopped', ...deadline(30_000) });
    const states = Object.fromEntries((await client.vms.list()).map(({ name, state }) => [name, state]));
    assert.deepEqual(states, { idle: 'stopped', used: 'running', never: 'running' });
    assert.match(
      await readFile(home.layout.logPath, 'utf8'),
      /"reason":"stale".*stopping a VM that nobody uses/,
    );
    const events = await client.events.list({ vms: ['idle'] });
    assert.ok(events.some(({ kind, idleMs = 0 }) => kind === 'stale' && idleMs >= 1000));
    const [operation] = (await client.operations.list()).filter(({ kind }) => kind === 'vm.stop');
    assert.equal(operation?.vm?.name, 'idle');
    shell.stdin.end();
    await shell.wait();
    await client.vms.wait('used', { for: 'stopped', ...deadline(30_000) });
    assert.equal((await client.vms.get('never')).state, 'running');
  });

  it('keeps the time of its last use over a restart and a crash of the daemon', async () => {
    await using home = await homeWith('');
    using client = await home.start();
    await run(client, 'demo');
    const begin = Date.now();
    const command = await client.vms.exec('demo', { argv: ['true'] });
    command.stdout.resume();
    await command.wait();
    await client.stopDaemon();
    await home.daemonGone();
    using next = await home.start();
    const touched = Date.parse((await next.vms.get('demo')).touchedAt ?? '');
    assert.ok(touched >= begin && touched <= Date.now());
    await delay(20);
    const other = await next.vms.exec('demo', { argv: ['true'] });
    other.stdout.resume();
    await other.wait();
    await home.killDaemon();
    using last = await home.start();
    assert.ok(Date.parse((await last.vms.get('demo')).touchedAt ?? '') > touched);
  });
});

async function run(client: BangerClient, name: string, request: object = {}): Promise<Vm> {
  return (await client.vms.create({ name, ...request })).result();
}

function reportOf(
  client: BangerClient,
  matches: (report: VmStatsReport) => boolean,
  name = 'demo',
): Promise<VmStatsReport> {
  const probe = async () => {
    const report = await client.stats.get(name, { history: 360 });
    return matches(report) ? report : undefined;
  };
  return pollUntil(probe, { ...deadline(), firstMs: 100, maxMs: 300 });
}

async function homeWith(config: string): Promise<FakeDaemonHome> {
  const home = await FakeDaemonHome.create();
  await home.configure(config);
  return home;
}
