import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatAge, formatElapsed } from './elapsed.ts';

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
