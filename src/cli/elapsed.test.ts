import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatAge, formatElapsed, formatUptime } from './elapsed.ts';

test('elapsed time', () => {
  assert.equal(formatElapsed(0), '0.0s');
  assert.equal(formatElapsed(320), '0.3s');
  assert.equal(formatElapsed(12_000), '12.0s');
  assert.equal(formatElapsed(125_000), '2m05s');
});

test('age in the largest unit that fits', () => {
  assert.equal(formatAge(-5), 'just now');
  assert.equal(formatAge(999), 'just now');
  assert.equal(formatAge(1000), '1 second ago');
  assert.equal(formatAge(300_000), '5 minutes ago');
  assert.equal(formatAge(7_200_000), '2 hours ago');
  assert.equal(formatAge(86_400_000 * 3), '3 days ago');
});

test('uptime in its two largest units', () => {
  assert.equal(formatUptime(-5), '0s');
  assert.equal(formatUptime(999), '0s');
  assert.equal(formatUptime(12_900), '12s');
  assert.equal(formatUptime(250_000), '4m10s');
  assert.equal(formatUptime(3_600_000), '1h');
  assert.equal(formatUptime(7_500_999), '2h5m');
  assert.equal(formatUptime(86_400_000 * 3 + 4 * 3_600_000 + 59_000), '3d4h');
  assert.equal(formatUptime(86_400_000 * 400 + 59_000), '400d');
});
