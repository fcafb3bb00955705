import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import * as fc from 'fast-check';
import { UserError } from '#contract/errors.ts';
import { MAX_STATS_HISTORY, statsSampleSchema } from '#contract/owner/stats.ts';
import { MeasuredMachine } from '../../../../test/support/measured-machine.ts';
import type { VmGauge } from './vm-gauge.ts';

const POLL_MS = 5000;

let machine: MeasuredMachine;
let gauge: VmGauge;

beforeEach(() => {
  machine = new MeasuredMachine();
  gauge = machine.createGauge();
});

/** So many polls, between each two of which the machine computes. */
async function poll(count: number, cpuMs = 0): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    await gauge.poll({});
    machine.pass(POLL_MS, cpuMs);
  }
}

const newest = () => gauge.history(1)[0];

test('a sample has what the process, the disk and the guest say', async () => {
  machine.pass(90_000, 1200);
  await gauge.poll({});
  const sample = newest();
  assert.deepEqual(sample, statsSampleSchema.parse(sample));
  assert.deepEqual(sample, {
    at: new Date(machine.nowMs).toISOString(),
    uptimeMs: 90_000,
    memoryLimitBytes: 512 * 2 ** 20,
    machine: { cpuMs: 1200, rssBytes: 100_000, writtenBytes: 4096 },
    disk: { virtualBytes: 8_000_000, allocatedBytes: 1_000_000 },
    guest: {
      load: [0.5, 0.25, 0.1],
      uptimeMs: 5000,
      processes: 42,
      memoryTotalBytes: 512 * 2 ** 20,
      memoryAvailableBytes: 400 * 2 ** 20,
      diskTotalBytes: 8 * 2 ** 30,
      diskAvailableBytes: 7 * 2 ** 30,
      receivedBytes: 1000,
      sentBytes: 2000,
    },
  });
});

test('the CPU is told from the second poll on, as part of one core since the poll before', async () => {
  await poll(1, 2500);
  assert.equal(newest()?.machine?.cpuPercent, undefined);
  await poll(1, 10_000);
  assert.equal(newest()?.machine?.cpuPercent, 50);
  await poll(1);
  assert.equal(newest()?.machine?.cpuPercent, 200);
});

test('a clock that is set back or forth changes no CPU figure', async () => {
  await poll(1, 2500);
  machine.nowMs -= 86_400_000;
  await gauge.poll({});
  assert.equal(newest()?.machine?.cpuPercent, 50);
  assert.equal(newest()?.uptimeMs, 0);
});

test('a guest that hangs is left out and asked once; when it is back so are its figures', async () => {
  machine.guest = 'hangs';
  await poll(5);
  assert.equal(newest()?.guest, undefined);
  assert.ok(newest()?.machine && newest()?.disk);
  assert.equal(machine.guestQuestions, 1);
});

test('a guest whose link breaks, a disk and a process that are gone are left out', async () => {
  machine.guest = 'breaks';
  machine.disk = undefined;
  machine.process = undefined;
  await poll(1);
  assert.deepEqual(Object.keys(newest() ?? {}), ['at', 'uptimeMs', 'memoryLimitBytes']);
  machine = new MeasuredMachine();
  gauge = machine.createGauge({
    sources: {
      processUsage: async () => machine.process,
      pssBytes: async () => undefined,
      diskUsage: async () => {
        throw new UserError('DISK_DAMAGED', 'Cannot use the disk: it is damaged');
      },
      guestStats: () => Promise.reject(new TypeError('a bug')),
    },
  });
  await assert.rejects(gauge.poll({}), TypeError, 'what nobody expects is not hidden');
});

test('who asks gets a measurement of now, with PSS, that is not kept', async () => {
  await poll(1, 1000);
  const sample = await gauge.measure({});
  assert.equal(sample.machine?.cpuPercent, 20);
  assert.equal(sample.machine?.pssBytes, 50_000);
  assert.equal(gauge.history(10).length, 1);
});

test('who asks when nothing was polled yet, or just now, waits for two readings', async () => {
  const running = setInterval(() => machine.pass(100, 25), 25);
  try {
    assert.equal((await gauge.measure({})).machine?.cpuPercent, 25);
  } finally {
    clearInterval(running);
  }
  const leaving = new AbortController();
  const measuring = machine.createGauge().measure({ signal: leaving.signal });
  leaving.abort(new Error('enough'));
  await assert.rejects(measuring, /enough/);
});

test('the mean over the last polls is told once there are enough', async () => {
  assert.equal(gauge.meanCpuPercent(12), undefined);
  await poll(2, 1000);
  assert.equal(gauge.meanCpuPercent(12), undefined);
  await poll(1, 1000);
  assert.equal(gauge.meanCpuPercent(12), 20);
  await poll(10);
  assert.equal(gauge.meanCpuPercent(5), 0);
  assert.ok((gauge.meanCpuPercent(12) ?? 0) > 0);
});

test('is of one machine: the same pid with another start time is another', () => {
  assert.equal(gauge.isOf(machine.vm), true);
  assert.equal(gauge.isOf({ ...machine.vm, name: 'renamed' }), true);
  assert.equal(gauge.isOf({ ...machine.vm, process: { pid: 100, startTicks: 8 } }), false);
});

test('the history is bounded, whatever answers meanwhile', async () => {
  const guestSays = fc.constantFrom('hangs' as const, 'breaks' as const, machine.guest);
  await fc.assert(
    fc.asyncProperty(fc.array(guestSays, { maxLength: 500, size: 'max' }), async (answers) => {
      machine = new MeasuredMachine();
      gauge = machine.createGauge({ patienceMs: 0 });
      for (const answer of answers) {
        machine.guest = answer;
        await poll(1, 10);
      }
      assert.equal(gauge.history(10_000).length, Math.min(answers.length, MAX_STATS_HISTORY));
      const times = gauge.history(MAX_STATS_HISTORY).map(({ at }) => at);
      assert.deepEqual(times, times.toSorted());
    }),
    { numRuns: 3 },
  );
});
