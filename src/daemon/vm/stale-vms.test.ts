import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { silentLogger, type LogFields } from '#base/log.ts';
import { UserError } from '#contract/errors.ts';
import type { VmRecord } from '#store/vm-repository.ts';
import { vmRecord } from '../../../test/support/vm-record.ts';
import { StaleVms, type StaleReason } from './stale-vms.ts';
import { VmActivity } from './vm-activity.ts';

const HOUR_MS = 3_600_000;
const START_MS = 1_700_000_000_000;

/** A host with VMs that nobody stops but the thing under test. */
class Host {
  now = START_MS;
  defaultLimitMs = HOUR_MS;
  readonly records = new Map<string, VmRecord>();
  readonly cpu = new Map<string, number>();
  readonly changing = new Set<string>();
  readonly detached = new Set<string>();
  readonly hung = new Set<string>();
  readonly stopped: [id: string, reason: StaleReason][] = [];
  readonly logged: LogFields[] = [];
  readonly unstoppable = new Set<string>();
  /** Called while the guest is asked for its commands. */
  meanwhile: () => void = () => {};
  readonly activity = new VmActivity({
    clock: { now: () => this.now },
    persist: (id, touchedAtMs) => {
      const record = this.records.get(id);
      if (record) this.records.set(id, { ...record, touchedAtMs });
      return record !== undefined;
    },
  });

  run(id: string, differences: Partial<VmRecord> = {}): void {
    this.records.set(id, vmRecord({ id, name: id, state: 'running', startedAtMs: this.now, ...differences }));
    this.cpu.set(id, 2);
  }

  check(signal?: AbortSignal): Promise<void> {
    const note = (fields: LogFields) => void this.logged.push(fields);
    return new StaleVms({
      running: () => [...this.records.values()],
      activity: this.activity,
      cpuPercent: (id) => this.cpu.get(id),
      hasDetachedCommand: async (id) => {
        this.meanwhile();
        if (this.hung.has(id)) throw new UserError('GUEST_NOT_ANSWERING', 'Cannot reach the guest: it hangs');
        return this.detached.has(id);
      },
      isBeingChanged: (id) => this.changing.has(id),
      defaultLimitMs: this.defaultLimitMs,
      stop: async ({ id }, reason) => {
        if (this.unstoppable.has(id)) throw new Error('cannot stop');
        this.records.delete(id);
        this.stopped.push([id, reason]);
      },
      clock: { now: () => this.now },
      log: { ...silentLogger, info: note, warn: note, error: note },
    }).check({ signal });
  }

  get stoppedIds(): string[] {
    return this.stopped.map(([id]) => id);
  }
}

let host: Host;
beforeEach(() => {
  host = new Host();
});

test('a VM that nobody used for so long is stopped, once, and the log says why', async () => {
  host.run('web');
  host.now += HOUR_MS - 1;
  await host.check();
  assert.deepEqual(host.stopped, []);
  host.now += 1;
  await host.check();
  await host.check();
  const reason = { reason: 'stale', idleMs: HOUR_MS, limitMs: HOUR_MS };
  assert.deepEqual(host.stopped, [['web', reason]]);
  assert.deepEqual(host.logged, [{ vm: 'web', name: 'web', ...reason }]);
});

test('what the VM says goes before what the configuration says', async () => {
  const spec = (autoStopAfterMs: number) => ({ spec: { ...vmRecord().spec, autoStopAfterMs } });
  host.run('short', spec(1000));
  host.run('long', spec(5 * HOUR_MS));
  host.run('never', spec(0));
  host.run('as-configured');
  host.now += 1000;
  await host.check();
  assert.deepEqual(host.stoppedIds, ['short']);
  host.now += 2 * HOUR_MS;
  await host.check();
  assert.deepEqual(host.stoppedIds, ['short', 'as-configured']);
  host.now += 1000 * HOUR_MS;
  await host.check();
  assert.deepEqual(host.stoppedIds, ['short', 'as-configured', 'long']);
});

test('without a limit anywhere nothing is stopped', async () => {
  host.defaultLimitMs = 0;
  host.run('web');
  host.now += 1000 * HOUR_MS;
  await host.check();
  assert.deepEqual(host.stopped, []);
});

test('an open shell keeps it, however long; after that it has its whole time again', async () => {
  host.run('web');
  const shell = host.activity.enter('web');
  host.now += 9 * HOUR_MS;
  await host.check();
  shell[Symbol.dispose]();
  host.now += HOUR_MS - 1;
  await host.check();
  assert.deepEqual(host.stopped, []);
  host.now += 1;
  await host.check();
  assert.deepEqual(host.stoppedIds, ['web']);
});

test('a VM that computes is kept; after that it has its whole time again', async () => {
  host.run('web');
  host.cpu.set('web', 95);
  host.now += 9 * HOUR_MS;
  await host.check();
  host.cpu.set('web', 1);
  await host.check();
  host.now += HOUR_MS - 1;
  await host.check();
  assert.deepEqual(host.stopped, []);
  host.now += 1;
  await host.check();
  assert.deepEqual(host.stoppedIds, ['web']);
});

test('a command that nobody is attached to keeps it', async () => {
  host.run('web');
  host.detached.add('web');
  host.now += 9 * HOUR_MS;
  await host.check();
  assert.deepEqual(host.stopped, []);
});

test('a guest that does not say whether a command runs is kept, which the log says once in a while', async () => {
  host.run('web');
  host.hung.add('web');
  host.now += HOUR_MS;
  await host.check();
  await host.check();
  assert.deepEqual(host.stopped, []);
  assert.deepEqual(host.logged, [{ vm: 'web', name: 'web', error: 'Cannot reach the guest: it hangs' }]);
  host.hung.clear();
  host.now += HOUR_MS;
  await host.check();
  assert.deepEqual(host.stoppedIds, ['web']);
});

test('somebody who comes while the guest is asked keeps it', async () => {
  host.run('web');
  host.now += 9 * HOUR_MS;
  host.meanwhile = () => host.activity.touch('web');
  await host.check();
  assert.deepEqual(host.stopped, []);
});

test('a VM that an operation is about is left alone', async () => {
  host.run('web');
  host.changing.add('web');
  host.now += 9 * HOUR_MS;
  await host.check();
  assert.deepEqual(host.stopped, []);
});

test('after a restart of the daemon the time in the record counts, and nothing is stopped unseen', async () => {
  host.run('used', { touchedAtMs: START_MS + 5 * HOUR_MS });
  host.run('unused', { touchedAtMs: START_MS - 5 * HOUR_MS });
  host.now += 5 * HOUR_MS + 1000;
  host.cpu.clear();
  await host.check();
  assert.deepEqual(host.stopped, [], 'nobody has looked yet whether they compute');
  host.cpu.set('used', 1).set('unused', 1);
  await host.check();
  assert.deepEqual(host.stoppedIds, ['unused']);
});

test('a VM that was started again counts from there, whenever it was touched', async () => {
  host.run('web', { touchedAtMs: START_MS - 100 * HOUR_MS });
  host.now += 1000;
  await host.check();
  assert.deepEqual(host.stopped, []);
});

test('one that cannot be stopped is logged, holds up no other, and is tried again', async () => {
  host.run('stuck');
  host.run('web');
  host.unstoppable.add('stuck');
  host.now += HOUR_MS;
  await host.check();
  assert.deepEqual(host.stoppedIds, ['web']);
  assert.deepEqual(host.logged.at(-1), { vm: 'stuck', error: 'cannot stop' });
  host.unstoppable.clear();
  await host.check();
  assert.deepEqual(host.stoppedIds, ['web', 'stuck']);
});

test('a round writes down who is being used', async () => {
  host.run('web');
  using _ = host.activity.enter('web');
  host.now += HOUR_MS;
  await host.check();
  assert.equal(host.records.get('web')?.touchedAtMs, host.now);
});
