import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cpuPercent, MIN_GAP_MS } from './cpu-load.ts';

test('is the part of one core that was used meanwhile', () => {
  assert.equal(cpuPercent({ atMs: 0, cpuMs: 500 }, { atMs: 5000, cpuMs: 500 }), 0);
  assert.equal(cpuPercent({ atMs: 0, cpuMs: 500 }, { atMs: 5000, cpuMs: 3000 }), 50);
  assert.equal(cpuPercent({ atMs: 1000, cpuMs: 0 }, { atMs: 2000, cpuMs: 3990 }), 399);
  assert.equal(cpuPercent({ atMs: 0, cpuMs: 0 }, { atMs: 3000, cpuMs: 10 }), 0.3);
});

test('is not told of two readings that are too close', () => {
  assert.equal(cpuPercent({ atMs: 0, cpuMs: 0 }, { atMs: MIN_GAP_MS - 1, cpuMs: 100 }), undefined);
  assert.equal(cpuPercent({ atMs: 10, cpuMs: 0 }, { atMs: 10, cpuMs: 0 }), undefined);
  assert.equal(cpuPercent({ atMs: 0, cpuMs: 0 }, { atMs: MIN_GAP_MS, cpuMs: 100 }), 20);
});

test('is never below nothing', () => {
  assert.equal(cpuPercent({ atMs: 0, cpuMs: 100 }, { atMs: 1000, cpuMs: 0 }), 0);
});
