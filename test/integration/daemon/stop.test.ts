import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { delay } from '#base/backoff.ts';
import { signalProcess } from '#host/proc.ts';
import type { BangerClient, Vm } from '#sdk/index.ts';
import { FakeDaemonHome } from '../../support/fake-daemon.ts';

describe('a stop without a session', () => {
  it('waits for an agent that comes late after the daemon was started again', () =>
    withHome(async (home) => {
      using first = await home.start();
      const pid = pidOf(await (await first.vms.create({ name: 'demo' })).result());
      await home.killDaemon();
      process.kill(pid, 'SIGSTOP');
      using client = await home.start();
      const stop = await client.vms.stop('demo', { timeoutMs: 60_000 });
      for await (const { stage } of stop) if (stage === 'power-off') break;
      await delay(2500);
      process.kill(pid, 'SIGCONT');
      assert.equal(await stop.result(), 'powered-off');
      assert.equal(stop.latest.result?.waitedMs, undefined);
    }));

  it('kills a guest that never answers, with time left in which it could have powered off, and says how long it waited', () =>
    withHome(async (home) => {
      using client = await silentVm(home);
      const stop = await client.vms.stop('demo', { timeoutMs: 1000 });
      assert.equal(await stop.result(), 'killed');
      const { waitedMs = 0 } = stop.latest.result ?? {};
      assert.ok(waitedMs >= 500 && waitedMs < 1000, `${waitedMs} ms`);
    }));

  it('does not wait for a machine that has ended', () =>
    withHome(async (home) => {
      using client = await silentVm(home);
      const stop = await client.vms.stop('demo', { timeoutMs: 600_000 });
      for await (const { stage } of stop) if (stage === 'power-off') break;
      for (const machine of await home.machines()) await signalProcess(machine, 'SIGKILL');
      await stop.result();
      assert.equal((await client.vms.get('demo')).state, 'stopped');
    }));

  it('at once waits for nothing', () =>
    withHome(async (home) => {
      using client = await silentVm(home);
      const stop = await client.vms.stop('demo', { timeoutMs: 0 });
      assert.equal(await stop.result(), 'killed');
      assert.equal(stop.latest.result?.waitedMs, 0);
    }));
});

describe('a restart', () => {
  it('says how the VM went down', () =>
    withHome(async (home) => {
      using client = await home.start();
      const pid = pidOf(await (await client.vms.create({ name: 'demo' })).result());
      assert.equal((await (await client.vms.restart('demo')).result()).stop, 'powered-off');
      process.kill(pidOf(await client.vms.get('demo')), 'SIGSTOP');
      const { vm, stop } = await (await client.vms.restart('demo', { timeoutMs: 300 })).result();
      assert.deepEqual([vm.state, stop], ['running', 'killed']);
      assert.notEqual(vm.pid, pid);
    }));
});

async function withHome(body: (home: FakeDaemonHome) => Promise<void>): Promise<void> {
  await using home = await FakeDaemonHome.create();
  await home.configure('agent_timeout = "1s"\n');
  await body(home);
}

/** Of a daemon with a VM "demo" that runs and whose agent never answers. */
async function silentVm(home: FakeDaemonHome): Promise<BangerClient> {
  const client = await home.start({ fault: { kind: 'never-answers' } });
  const creation = await client.vms.create({ name: 'demo' });
  await assert.rejects(creation.result(), { code: 'GUEST_NOT_ANSWERING' });
  return client;
}

function pidOf({ pid }: Vm): number {
  return pid ?? assert.fail('it has no process');
}
