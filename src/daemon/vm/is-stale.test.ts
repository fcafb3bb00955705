import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isBusy, isStale, type Idleness } from './is-stale.ts';

const NOW = 10_000;
const idle: Idleness = { limitMs: 1000, lastUsedAtMs: NOW - 1000, isInUse: false, cpuPercent: 3 };

const decisions: [what: string, difference: Partial<Idleness>, stale: boolean][] = [
  ['nobody used it for as long as it may', {}, true],
  ['nobody used it for longer', { lastUsedAtMs: 0 }, true],
  ['somebody used it a moment less ago', { lastUsedAtMs: NOW - 999 }, false],
  ['somebody uses it by a clock that was ahead', { lastUsedAtMs: NOW + 5000 }, false],
  ['it is never stale', { limitMs: 0, lastUsedAtMs: 0 }, false],
  ['it is in use', { isInUse: true, lastUsedAtMs: 0 }, false],
  ['it computes', { cpuPercent: 11, lastUsedAtMs: 0 }, false],
  ['it computes with several cores', { cpuPercent: 390, lastUsedAtMs: 0 }, false],
  ['it does just what an idle guest may', { cpuPercent: 10 }, true],
  ['it does nothing at all', { cpuPercent: 0 }, true],
  ['nobody has looked yet whether it computes', { cpuPercent: undefined, lastUsedAtMs: 0 }, false],
];

for (const [what, difference, stale] of decisions) {
  test(`${stale ? 'stale' : 'not stale'}: ${what}`, () => {
    assert.equal(isStale({ ...idle, ...difference }, NOW), stale);
  });
}

test('a VM of which nothing is known is not busy either', () => {
  assert.equal(isBusy({ cpuPercent: undefined }), false);
  assert.equal(isBusy({ cpuPercent: 10 }), false);
  assert.equal(isBusy({ cpuPercent: 10.1 }), true);
});
