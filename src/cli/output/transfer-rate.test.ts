import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MiB } from '#base/sizes.ts';
import { TransferRate } from './transfer-rate.ts';

/** Takes `bytes` at each of these milliseconds, and tells the rate at the last of them. */
function rateOf(samples: readonly (readonly [ms: number, bytes: number])[], nowMs = samples.at(-1)![0]) {
  const rate = new TransferRate();
  for (const [ms, bytes] of samples) rate.take(bytes, ms);
  return rate.bytesPerSecond(nowMs);
}

/** So many bytes each 100 ms. */
const steady = (count: number, bytes: number, { ms = 0, from = 0 } = {}) =>
  Array.from({ length: count }, (_, index) => [ms + index * 100, from + index * bytes] as const);

test('there is no rate at first', () => {
  assert.equal(new TransferRate().bytesPerSecond(1000), undefined);
  assert.equal(rateOf([[0, 5]], 1000), undefined);
  assert.equal(rateOf(steady(4, MiB)), undefined);
});

test('it is that of the last seconds', () => {
  assert.equal(rateOf(steady(31, MiB)), 10 * MiB);
  const fast = steady(100, 10 * MiB);
  const slow = steady(100, MiB, { ms: 10_000, from: fast.at(-1)![1] });
  assert.equal(rateOf([...fast, ...slow]), 10 * MiB);
});

test('what stands still has less and less, then 0', () => {
  const samples = steady(31, MiB);
  assert.equal(rateOf(samples, 6000), 4 * MiB);
  assert.equal(rateOf(samples, 8000), 0);
  assert.equal(rateOf([[0, 5]], 5000), 0);
  assert.equal(rateOf([...samples, [5000, 30 * MiB], [8000, 30 * MiB]]), 0);
});

test('after a pause the time before it does not count', () => {
  const samples = [...steady(31, MiB), ...steady(26, MiB, { ms: 60_000, from: 31 * MiB })];
  assert.equal(Math.round(rateOf(samples)! / MiB), 5); // 26 MiB within the window
});

test('what was here before does not count as fast', () => {
  assert.equal(rateOf([[0, 0], ...steady(31, MiB, { ms: 200, from: 900 * MiB })]), 10 * MiB);
});

test('fewer bytes than before are a new beginning', () => {
  const samples = steady(31, MiB);
  assert.equal(rateOf([...samples, [3100, 0]]), undefined);
  assert.equal(rateOf([...samples, ...steady(11, MiB, { ms: 3100 })]), 10 * MiB);
});

test('it does not matter how often it is told', () => {
  const often = Array.from({ length: 30_001 }, (_, index) => [index / 10, index * 1000] as const);
  assert.ok(Math.abs(rateOf(often)! - 10_000_000) < 100_000);
});
