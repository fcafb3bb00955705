import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { beforeEach, test } from 'node:test';
import { isUserError } from '#contract/errors.ts';
import { openDatabase } from '#store/database.ts';
import { VmRepository } from '#store/vm-repository.ts';
import { vmRecord } from '../../../test/support/vm-record.ts';
import { VmRegistry } from './vm-registry.ts';

const ID = vmRecord().id;

let repository: VmRepository;
let registry: VmRegistry;

beforeEach(() => {
  repository = new VmRepository(openDatabase(':memory:'));
  registry = new VmRegistry(repository);
});

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** Waits for the VM to be in this state. */
function waitForState(state: string, signal?: AbortSignal) {
  return registry.waitUntil(() => (registry.get(ID).state === state ? state : undefined), { signal });
}

test('a record that was added is there, its name is taken, and the store has it', () => {
  registry.add(vmRecord());
  assert.deepEqual(registry.get(ID), vmRecord());
  assert.deepEqual(registry.list(), [vmRecord()]);
  assert.equal(registry.isNameTaken('demo'), true);
  assert.deepEqual(repository.find(ID), vmRecord());
});

test('a name is taken once', () => {
  registry.add(vmRecord());
  assert.throws(
    () => registry.add(vmRecord({ id: 'cccccccccccc' })),
    (error) => isUserError(error, 'VM_NAME_TAKEN'),
  );
});

test('a name that is held for a VM to come is given to no other', () => {
  registry.add(vmRecord());
  const held = registry.holdName('soon');
  assert.equal(registry.isNameTaken('soon'), true);
  assert.throws(
    () => registry.change(ID, { name: 'soon' }),
    (error) => isUserError(error, 'VM_NAME_TAKEN'),
  );
  held[Symbol.dispose]();
  assert.equal(registry.change(ID, { name: 'soon' }).name, 'soon');
});

test('get of what was deleted says so, find is undefined, the name is free', () => {
  registry.add(vmRecord());
  registry.remove(ID);
  assert.throws(
    () => registry.get(ID),
    (error) => isUserError(error, 'VM_NOT_FOUND'),
  );
  assert.equal(registry.find(ID), undefined);
  assert.equal(registry.isNameTaken('demo'), false);
});

test('a record is read once, by id or by name, and whoever gets it cannot change it', () => {
  repository.insert(vmRecord());
  const record = registry.resolve('demo');
  repository.remove(ID); // what no daemon does behind its registry's back
  assert.equal(registry.find(ID), record);
  assert.equal(registry.findByName('demo'), record);
  assert.equal(registry.resolve(ID), record);
  assert.throws(() => (record.spec.vcpus = 99), TypeError);
});

test('all that ask for a record get the same one, until it changes', () => {
  registry.add(vmRecord());
  const record = registry.get(ID);
  assert.equal(registry.find(ID), record);
  assert.equal(registry.list()[0], record);
  registry.transition(ID, 'starting');
  assert.notEqual(registry.find(ID), record);
  assert.equal(registry.list()[0], registry.find(ID));
});

test('what somebody else wrote is seen by those who look whether the store is right', () => {
  registry.add(vmRecord());
  repository.update(vmRecord({ state: 'starting' }));
  assert.equal(registry.get(ID).state, 'stopped');
  assert.equal(registry.reread()[0]?.state, 'starting');
  assert.equal(registry.get(ID).state, 'starting');
});

test('a record that was renamed or removed is found by its old name no more', () => {
  registry.add(vmRecord());
  registry.change(ID, { name: 'other' });
  assert.equal(registry.findByName('demo'), undefined);
  assert.equal(registry.findByName('other')?.id, ID);
  registry.remove(ID);
  assert.equal(registry.findByName('other'), undefined);
});

test('what the store refuses to write stays as it was', (t) => {
  registry.add(vmRecord());
  t.mock.method(repository, 'update', () => {
    throw new Error('the disk is full');
  });
  assert.throws(() => registry.transition(ID, 'starting'), /the disk is full/);
  assert.deepEqual(registry.get(ID), vmRecord());
});

test('a transition is stored, with what changes along with it', () => {
  registry.add(vmRecord({ lastError: { code: 'INTERNAL', message: 'before' } }));
  registry.transition(ID, 'starting', { lastError: null });
  const running = registry.transition(ID, 'running', { startedAtMs: 99 });
  assert.deepEqual(running, vmRecord({ state: 'running', startedAtMs: 99 }));
  assert.deepEqual(repository.find(ID), running);
});

test('a transition that the state machine does not know is a bug, and changes nothing', () => {
  registry.add(vmRecord());
  assert.throws(
    () => registry.transition(ID, 'running', { startedAtMs: 99 }),
    (error) => error instanceof Error && !isUserError(error) && /stopped to running/.test(error.message),
  );
  assert.deepEqual(registry.get(ID), vmRecord());
});

test('a transition into the same state may change what goes along with it', () => {
  registry.add(vmRecord());
  registry.transition(ID, 'stopped', { stoppedAtMs: 5 });
  assert.equal(registry.get(ID).stoppedAtMs, 5);
});

test('waitUntil answers at once when the condition holds already, also with a falsy answer', async () => {
  registry.add(vmRecord());
  assert.equal(await waitForState('stopped'), 'stopped');
  assert.equal(await registry.waitUntil(() => 0), 0);
});

test('waitUntil wakes for an added record, a transition, a removal and an announcement', async () => {
  const added = registry.waitUntil(() => registry.find(ID)?.name);
  registry.add(vmRecord());
  assert.equal(await added, 'demo');

  const starting = waitForState('starting');
  registry.transition(ID, 'starting');
  assert.equal(await starting, 'starting');

  const removed = registry.waitUntil(() => (registry.find(ID) ? undefined : 'gone'));
  registry.remove(ID);
  assert.equal(await removed, 'gone');

  let agentAnswers = false;
  const answering = registry.waitUntil(() => agentAnswers || undefined);
  await nextTurn();
  agentAnswers = true;
  registry.announce();
  assert.equal(await answering, true);
});

test('waitUntil goes on waiting through news that are not its own', async () => {
  registry.add(vmRecord());
  const waiting = waitForState('running');
  registry.add(vmRecord({ id: 'cccccccccccc', name: 'other' }));
  await nextTurn();
  registry.transition(ID, 'starting');
  await nextTurn();
  registry.transition(ID, 'running');
  assert.equal(await waiting, 'running');
});

test('every waiter is woken by one change', async () => {
  registry.add(vmRecord());
  const waiters = Array.from({ length: 50 }, () => waitForState('starting'));
  registry.transition(ID, 'starting');
  assert.deepEqual(new Set(await Promise.all(waiters)), new Set(['starting']));
});

test('no wake-up is lost: a change while the condition is being asked is seen', async () => {
  registry.add(vmRecord());
  let asked = 0;
  const waiting = registry.waitUntil(() => {
    const answer = asked > 0 ? 'seen' : undefined;
    asked += 1;
    if (asked === 1) registry.announce();
    return answer;
  });
  assert.equal(await waiting, 'seen');
});

test('no wake-up is lost: a change in the instant between waking and asking again is seen', async () => {
  let counter = 0;
  const bump = () => {
    counter += 1;
    registry.announce();
  };
  const waiting = registry.waitUntil(() => (counter === 1000 ? counter : undefined));
  for (let round = 0; round < 1000; round += 1) {
    bump();
    if (round % 3 === 0) await Promise.resolve();
  }
  assert.equal(await waiting, 1000);
});

test('waitUntil rejects with what the condition throws, also later', async () => {
  registry.add(vmRecord());
  const waiting = waitForState('running');
  await nextTurn();
  registry.remove(ID);
  await assert.rejects(waiting, (error) => isUserError(error, 'VM_NOT_FOUND'));
});

test('waitUntil ends with the reason of its signal and leaves no listener', async () => {
  registry.add(vmRecord());
  const controller = new AbortController();
  const reason = new Error('no longer interested');
  const waiting = waitForState('running', controller.signal);
  await nextTurn();
  controller.abort(reason);
  await assert.rejects(waiting, (error) => error === reason);
  assert.equal(getEventListeners(controller.signal, 'abort').length, 0);
});

test('waitUntil with an aborted signal does not answer, even when the condition holds', async () => {
  registry.add(vmRecord());
  const reason = new Error('before it began');
  await assert.rejects(waitForState('stopped', AbortSignal.abort(reason)), (error) => error === reason);
});

test('one waiter that gives up does not disturb the others', async () => {
  registry.add(vmRecord());
  const controller = new AbortController();
  const patient = waitForState('starting');
  const impatient = waitForState('starting', controller.signal);
  controller.abort(new Error('given up'));
  await assert.rejects(impatient, /given up/);
  registry.transition(ID, 'starting');
  assert.equal(await patient, 'starting');
});

test('a reference means the exact id or name before the beginning of another', () => {
  const other = vmRecord({ id: 'ffffffffffff', name: 'demo-2' });
  registry.add(vmRecord());
  registry.add(other);
  assert.equal(registry.resolve('demo').id, ID);
  assert.equal(registry.resolve(ID).id, ID);
  assert.equal(registry.resolve('demo-').id, other.id);
  assert.throws(() => registry.resolve('dem'), { code: 'VM_REFERENCE_AMBIGUOUS' });
  assert.throws(() => registry.resolve('nobody'), { code: 'VM_NOT_FOUND' });
  assert.throws(() => registry.resolve(''), { code: 'USAGE' });
});
