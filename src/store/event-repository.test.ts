import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { openDatabase } from './database.ts';
import { EventRepository, type NewEvent } from './event-repository.ts';

let events: EventRepository;

beforeEach(() => {
  events = new EventRepository(openDatabase(':memory:'));
});

function newEvent(differences: Partial<NewEvent> = {}): NewEvent {
  return { atMs: 1000, vmId: 'a', vmName: 'demo', kind: 'removed', detail: {}, ...differences };
}

test('what was inserted comes back, oldest first', () => {
  const error = { code: 'MACHINE_DIED', message: 'über "it"' };
  const first = events.insert(newEvent({ kind: 'state', detail: { state: 'error', error } }));
  const second = events.insert(newEvent({ atMs: 2000 }));
  assert.ok(second.seq > first.seq);
  assert.deepEqual(events.list(), [first, second]);
});

test('every filter, alone and together', () => {
  for (let index = 1; index <= 6; index += 1) {
    events.insert(newEvent({ vmId: index % 2 === 0 ? 'even' : 'odd', atMs: index * 1000 }));
  }
  const seqs = (filter: Parameters<EventRepository['list']>[0]) => events.list(filter).map(({ seq }) => seq);
  assert.deepEqual(seqs({ after: 4 }), [5, 6]);
  assert.deepEqual(seqs({ sinceMs: 5000 }), [5, 6]);
  assert.deepEqual(seqs({ vmIds: ['even'] }), [2, 4, 6]);
  assert.deepEqual(seqs({ vmIds: [] }), []);
  assert.deepEqual(seqs({ vmIds: ['even', 'odd', 'none'], limit: 2 }), [5, 6]);
  assert.deepEqual(seqs({ limit: 0 }), []);
  assert.deepEqual(seqs({ vmIds: ['odd'], after: 1, sinceMs: 2000, limit: 1 }), [5]);
});

test('VMs that are gone are found by their id and every name that they had', () => {
  events.insert(newEvent({ vmId: 'a', vmName: 'first' }));
  events.insert(newEvent({ vmId: 'a', vmName: 'second' }));
  events.insert(newEvent({ vmId: 'b', vmName: 'first' }));
  assert.deepEqual(events.findVmIds('first'), ['a', 'b']);
  assert.deepEqual(events.findVmIds('second'), ['a']);
  assert.deepEqual(events.findVmIds('b'), ['b']);
  assert.deepEqual(events.findVmIds('fir'), []);
});

test('pruning keeps the newest, and no number is used again', () => {
  events.prune(3);
  for (let count = 0; count < 5; count += 1) events.insert(newEvent());
  events.prune(3);
  assert.deepEqual(
    events.list().map(({ seq }) => seq),
    [3, 4, 5],
  );
  events.prune(0);
  assert.deepEqual(events.list(), []);
  assert.equal(events.insert(newEvent()).seq, 6);
  assert.equal(events.newestSeq(), 6);
});

test('a store where nothing has happened', () => {
  assert.equal(events.newestSeq(), 0);
  assert.deepEqual(events.list(), []);
});
