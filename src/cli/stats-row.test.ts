import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { VmStats } from '#contract/owner/stats.ts';
import { STATS_HEAD, toStatsRow } from './stats-row.ts';

const MIB = 2 ** 20;
const nothing: VmStats = {
  vm: { id: '0123456789ab', name: 'demo' },
  at: new Date(0).toISOString(),
  uptimeMs: 250_000,
  memoryLimitBytes: 512 * MIB,
};
const guest = {
  load: [0.5, 0.25, 0.1] as [number, number, number],
  uptimeMs: 1,
  processes: 1,
  memoryTotalBytes: 480 * MIB,
  memoryAvailableBytes: 400 * MIB,
};

test('everything that was measured', () => {
  const row = toStatsRow({
    ...nothing,
    machine: { cpuMs: 1, cpuPercent: 12.34, rssBytes: 200 * MIB },
    disk: { virtualBytes: 8192 * MIB, allocatedBytes: 17 * MIB },
    guest: { ...guest, receivedBytes: 2048, sentBytes: 0 },
  });
  assert.deepEqual(row, [
    'demo',
    '12.3',
    '80 MiB / 512 MiB',
    '17 MiB / 8 GiB',
    '2 KiB / 0 B',
    '0.50',
    '4m10s',
  ]);
  assert.equal(row.length, STATS_HEAD.length);
});

test('what was not measured is a dash', () => {
  assert.deepEqual(toStatsRow(nothing), ['demo', '-', '- / 512 MiB', '-', '-', '-', '4m10s']);
});

test('a guest that does not answer: what its machine takes; one without a network: a dash', () => {
  const machine = { cpuMs: 1, rssBytes: 200 * MIB };
  assert.equal(toStatsRow({ ...nothing, machine })[2], '200 MiB / 512 MiB');
  assert.equal(toStatsRow({ ...nothing, guest })[4], '-');
});

test('a guest that lies takes no less than nothing', () => {
  const lying = { ...guest, memoryAvailableBytes: 9000 * MIB };
  assert.equal(toStatsRow({ ...nothing, guest: lying })[2], '0 B / 512 MiB');
});
