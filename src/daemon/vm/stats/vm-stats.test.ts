import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { silentLogger, type LogFields } from '#base/log.ts';
import type { VmState } from '#contract/owner/vm.ts';
import { MeasuredMachine } from '../../../../test/support/measured-machine.ts';
import { VmStatsService } from './vm-stats.ts';

/** Several VMs, some of which run. */
class Host {
  readonly machines = new Map<string, MeasuredMachine>();
  readonly states = new Map<string, VmState>();
  readonly warnings: LogFields[] = [];
  gauges = 0;
  readonly stats = new VmStatsService({
    vms: () => [...this.states].map(([name, state]) => ({ id: `id-of-${name}`, name, state })),
    findRunning: (id) => this.#machineOf(id)?.vm,
    createGauge: (vm) => {
      this.gauges += 1;
      return (this.#machineOf(vm.id) as MeasuredMachine).createGauge();
    },
    log: { ...silentLogger, warn: (fields) => void this.warnings.push(fields) },
  });

  start(name: string, pid = 100): MeasuredMachine {
    const machine = new MeasuredMachine(name, pid);
    this.machines.set(name, machine);
    this.states.set(name, 'running');
    return machine;
  }

  stop(name: string): void {
    this.machines.delete(name);
    this.states.set(name, 'stopped');
  }

  async poll(count = 1): Promise<void> {
    for (let index = 0; index < count; index += 1) {
      await this.stats.poll({});
      for (const machine of this.machines.values()) machine.pass(5000, 500);
    }
  }

  async historyOf(name: string): Promise<number> {
    return (await this.stats.get(name, { history: 360 })).history?.length ?? 0;
  }

  #machineOf(id: string): MeasuredMachine | undefined {
    return this.machines.get(id.replace('id-of-', ''));
  }
}

let host: Host;
beforeEach(() => {
  host = new Host();
});

test('all that run are measured, and only they', async () => {
  host.start('web');
  host.start('db');
  host.stop('old');
  await host.poll(2);
  const all = await host.stats.list({});
  assert.deepEqual(
    all.map(({ vm, machine }) => [vm, machine?.cpuPercent]),
    [
      [{ id: 'id-of-web', name: 'web' }, 10],
      [{ id: 'id-of-db', name: 'db' }, 10],
    ],
  );
});

test('one VM: by a prefix, with as much history as is asked for', async () => {
  host.start('web');
  await host.poll(4);
  const report = await host.stats.get('we', { history: 3 });
  assert.equal(report.vm.name, 'web');
  assert.deepEqual(
    report.history?.map(({ machine }) => machine?.cpuMs),
    [500, 1000, 1500],
  );
  assert.equal('history' in (await host.stats.get('web', {})), false);
});

test('a VM that does not run, or is not there, cannot be measured', async () => {
  host.stop('old');
  await assert.rejects(host.stats.get('old', {}), { code: 'VM_NOT_RUNNING', hint: 'banger vm start old' });
  await assert.rejects(host.stats.get('none', {}), { code: 'VM_NOT_FOUND' });
});

test('a VM that is started again begins a new history', async () => {
  host.start('web', 100);
  await host.poll(3);
  assert.equal(await host.historyOf('web'), 3);
  host.start('web', 200);
  await host.poll(1);
  assert.equal(await host.historyOf('web'), 1);
});

test('a VM that has stopped is forgotten with its history', async () => {
  host.start('web');
  await host.poll(2);
  host.stop('web');
  await host.poll(1);
  assert.equal(host.stats.meanCpuPercent('id-of-web', 12), undefined);
  host.start('web');
  await host.poll(1);
  assert.equal(await host.historyOf('web'), 1);
  assert.equal(host.gauges, 2);
});

test('a guest that hangs delays nobody after the first time, and nobody else at all', async () => {
  const hung = host.start('hung');
  const web = host.start('web');
  hung.guest = 'hangs';
  await host.poll(1);
  const begin = performance.now();
  await host.poll(20);
  assert.ok(performance.now() - begin < 20 * 50, 'twenty polls took less than the patience of each');
  assert.equal(hung.guestQuestions, 1);
  assert.equal(web.guestQuestions, 21);
  assert.equal(await host.historyOf('hung'), 21);
});

test('a VM that cannot be measured for a reason nobody expects is logged and hides no other', async () => {
  const bad = host.start('bad');
  host.start('good');
  Object.defineProperty(bad, 'process', { get: () => assert.fail('a bug') });
  await host.stats.poll({});
  assert.deepEqual(host.warnings, [{ vm: 'id-of-bad', error: 'a bug' }]);
  assert.equal(host.stats.meanCpuPercent('id-of-good', 12), undefined);
  assert.equal(await host.historyOf('good'), 1);
});

test('a poll that is told to end ends, with nothing logged', async () => {
  host.start('hung').guest = 'hangs';
  const closing = new AbortController();
  const polling = host.stats.poll({ signal: closing.signal });
  closing.abort(new Error('closing'));
  await polling;
  assert.deepEqual(host.warnings, []);
});

test('the mean of the CPU is of the machine that runs now', async () => {
  host.start('web');
  await host.poll(4);
  assert.equal(host.stats.meanCpuPercent('id-of-web', 12), 10);
  host.start('web', 200);
  assert.equal(host.stats.meanCpuPercent('id-of-web', 12), undefined);
});
