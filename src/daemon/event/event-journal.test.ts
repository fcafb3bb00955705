import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { systemClock } from '#base/clock.ts';
import { silentLogger } from '#base/log.ts';
import { UserError } from '#contract/errors.ts';
import type { VmEvent } from '#contract/owner/event.ts';
import { openDatabase, type Database } from '#store/database.ts';
import { EventRepository } from '#store/event-repository.ts';
import { vmRecord } from '../../../test/support/vm-record.ts';
import { EventJournal } from './event-journal.ts';

let database: Database;
let journal: EventJournal;
const living = new Map<string, string>();

beforeEach(() => {
  database = openDatabase(':memory:');
  living.clear();
  journal = newJournal();
});

function newJournal(keep?: number): EventJournal {
  return new EventJournal({
    repository: new EventRepository(database),
    clock: systemClock,
    log: silentLogger,
    resolveVm: (reference) => {
      const id = living.get(reference);
      if (id !== undefined) return id;
      throw new UserError('VM_NOT_FOUND', `Cannot find "${reference}"`);
    },
    ...(keep === undefined ? {} : { keep }),
  });
}

function create(id: string, name: string): void {
  living.set(name, id);
  journal.record({ after: vmRecord({ id, name, state: 'creating' }) });
}

function remove(id: string, name: string): void {
  living.delete(name);
  journal.record({ before: vmRecord({ id, name }) });
}

const inShort = (events: readonly VmEvent[]) => events.map(({ kind, vm }) => `${vm.id} ${kind}`);

test('a name means the VM that has it now; without one, those that had it', () => {
  create('a', 'demo');
  remove('a', 'demo');
  assert.deepEqual(inShort(journal.list({ vms: ['demo'] })), ['a created', 'a removed']);
  create('b', 'demo');
  assert.deepEqual(inShort(journal.list({ vms: ['demo'] })), ['b created']);
  assert.deepEqual(inShort(journal.list({ vms: ['a', 'demo'] })), ['a created', 'a removed', 'b created']);
  assert.throws(() => journal.list({ vms: ['nobody'] }), { code: 'VM_NOT_FOUND' });
  assert.throws(() => journal.follow({ vms: ['nobody'] }, {}), { code: 'VM_NOT_FOUND' });
});

test('one who follows gets what is there, then what comes, each once', { timeout: 5000 }, async () => {
  create('a', 'one');
  const leaving = new AbortController();
  const seen: string[] = [];
  const following = (async () => {
    for await (const { seq, vm } of journal.follow({}, leaving)) {
      seen.push(`${seq} ${vm.name}`);
      if (vm.name === 'two') create('c', 'three'); // while it is being told
      if (vm.name === 'three') leaving.abort(new Error('enough'));
    }
  })();
  await new Promise(setImmediate);
  create('b', 'two');
  await assert.rejects(following, /enough/);
  assert.deepEqual(seen, ['1 one', '2 two', '3 three']);
});

test('what a limit leaves out at first does not come later', { timeout: 5000 }, async () => {
  for (const name of ['one', 'two', 'three']) create(name, name);
  const events = journal.follow({ limit: 0, vms: ['one', 'two'] }, {})[Symbol.asyncIterator]();
  const next = events.next();
  await new Promise(setImmediate);
  remove('three', 'three');
  remove('two', 'two');
  const { value } = await next;
  assert.deepEqual(inShort([value as VmEvent]), ['two removed']);
});

test('so many are kept and not many more', () => {
  const small = newJournal(100);
  for (let count = 0; count < 500; count += 1) {
    small.record({ before: vmRecord({ id: String(count) }) });
    assert.ok(small.list({}).length <= 110);
  }
  assert.ok(small.list({}).length >= 100);
  assert.equal(small.list({}).at(-1)?.vm.id, '499');
});

test('a store that cannot be written fails nobody', () => {
  create('a', 'demo');
  database.exec('PRAGMA query_only = ON');
  remove('a', 'demo');
  database.exec('PRAGMA query_only = OFF');
  assert.deepEqual(inShort(journal.list({})), ['a created']);
});
