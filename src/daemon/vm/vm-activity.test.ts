import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { VmActivity } from './vm-activity.ts';

const MINUTE_MS = 60_000;
const START_MS = 1_700_000_000_000;

let now: number;
/** What the store was told, in order. */
let writes: [id: string, touchedAtMs: number][];
let deleted: Set<string>;
let activity: VmActivity;

beforeEach(() => {
  now = START_MS;
  writes = [];
  deleted = new Set();
  activity = new VmActivity({
    clock: { now: () => now },
    persist(id, touchedAtMs) {
      if (deleted.has(id)) return false;
      writes.push([id, touchedAtMs]);
      return true;
    },
  });
});

test('a VM that nobody used since the daemon started was never touched', () => {
  assert.equal(activity.lastTouchedAtMs('one'), undefined);
  assert.equal(activity.isInUse('one'), false);
});

test('the first touch is written at once, those of the minute after are kept back', () => {
  activity.touch('one');
  for (let second = 1; second < 60; second += 1) {
    now = START_MS + second * 1000;
    activity.touch('one');
    activity.writeDue();
  }
  assert.equal(activity.lastTouchedAtMs('one'), now);
  assert.deepEqual(writes, [['one', START_MS]]);
  now = START_MS + MINUTE_MS;
  activity.writeDue();
  assert.deepEqual(writes.slice(1), [['one', START_MS + 59_000]]);
});

test('what is written already is not written again', () => {
  activity.touch('one');
  now += 10 * MINUTE_MS;
  activity.writeDue();
  activity.writeAll();
  assert.equal(writes.length, 1);
});

test('at the end everything is written, however fresh', () => {
  activity.touch('one');
  activity.touch('two');
  now += 1;
  activity.touch('one');
  activity.writeAll();
  assert.deepEqual(writes, [
    ['one', START_MS],
    ['two', START_MS],
    ['one', START_MS + 1],
  ]);
});

test('a VM is in use until the last of its users has left, which touches it', () => {
  const shell = activity.enter('one');
  const command = activity.enter('one');
  command[Symbol.dispose]();
  assert.equal(activity.isInUse('one'), true);
  now += 5000;
  shell[Symbol.dispose]();
  assert.equal(activity.isInUse('one'), false);
  assert.equal(activity.lastTouchedAtMs('one'), START_MS + 5000);
});

test('leaving twice is leaving once', () => {
  using _ = activity.enter('one');
  const other = activity.enter('one');
  other[Symbol.dispose]();
  other[Symbol.dispose]();
  assert.equal(activity.isInUse('one'), true);
});

test('a VM in use is used until now: a daemon that is killed forgets at most a minute', () => {
  using _ = activity.enter('one');
  for (let minute = 1; minute <= 180; minute += 1) {
    now = START_MS + minute * MINUTE_MS;
    activity.writeDue();
  }
  assert.equal(writes.length, 181);
  assert.deepEqual(writes.at(-1), ['one', now]);
});

test('a VM in use at the end is written with the time of the end', () => {
  using _ = activity.enter('one');
  now += 7;
  activity.writeAll();
  assert.deepEqual(writes.at(-1), ['one', START_MS + 7]);
});

test('a VM that was deleted is forgotten, whoever still leaves it', () => {
  const shell = activity.enter('one');
  deleted.add('one');
  now += 2 * MINUTE_MS;
  activity.writeDue();
  assert.equal(activity.lastTouchedAtMs('one'), undefined);
  shell[Symbol.dispose]();
  assert.equal(activity.lastTouchedAtMs('one'), undefined);
  assert.equal(activity.isInUse('one'), false);
});
