import assert from 'node:assert/strict';
import { test } from 'node:test';
import { vmStateSchema, type VmState } from '#contract/owner/vm.ts';
import { TRANSITIONS, mayFollow } from './vm-states.ts';

const STATES = vmStateSchema.options;

/** Every state that can come after `from`, however many operations later. */
function reachable(from: VmState): Set<VmState> {
  const found = new Set<VmState>();
  const open = [from];
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    for (const next of TRANSITIONS[state]) {
      if (found.has(next)) continue;
      found.add(next);
      open.push(next);
    }
  }
  return found;
}

function assertPath(...states: VmState[]): void {
  for (const [index, state] of states.slice(1).entries()) {
    const from = states[index] as VmState;
    assert.ok(mayFollow(from, state), `${from} → ${state}`);
  }
}

test('the life of a VM', () => {
  assertPath('creating', 'running', 'stopping', 'stopped', 'starting', 'running', 'deleting');
  assertPath('creating', 'stopped', 'deleting');
});

test('every state but the last can be deleted, from wherever a VM got stuck', () => {
  for (const state of STATES) assert.equal(mayFollow(state, 'deleting'), state !== 'deleting', state);
});

test('nothing comes after deleting, and nothing becomes new again', () => {
  assert.deepEqual(TRANSITIONS.deleting, []);
  for (const state of STATES) assert.equal(mayFollow(state, 'creating'), false, state);
});

test('what runs ends in an orderly stop or in one of its own, never back in a start', () => {
  assert.equal(mayFollow('running', 'starting'), false);
  assert.equal(mayFollow('stopped', 'running'), false, 'through starting, so that a crash is seen');
  assert.equal(mayFollow('stopped', 'stopping'), false);
});

test('after an error a VM can be used again', () => {
  for (const state of ['starting', 'stopped', 'running'] as const)
    assert.ok(reachable('error').has(state), state);
});

// What reconcile does, src/daemon/vm/reconcile.ts: each is a state that a crash can leave in the store.
test('a machine that still runs is adopted from each state that has one', () => {
  for (const state of ['starting', 'stopping'] as const) assert.ok(mayFollow(state, 'running'), state);
});

test('a VM whose machine is gone becomes stopped from each state that had one, and from an error', () => {
  for (const state of ['starting', 'running', 'stopping', 'error'] as const)
    assert.ok(mayFollow(state, 'stopped'), state);
});

test('a VM that cannot be settled is marked, unless it is half made or half removed', () => {
  for (const state of ['starting', 'running', 'stopping', 'stopped'] as const)
    assert.ok(mayFollow(state, 'error'), state);
  assert.equal(
    mayFollow('creating', 'error'),
    false,
    'a half-made VM must not become one that can be started',
  );
  assert.equal(mayFollow('deleting', 'error'), false);
});
