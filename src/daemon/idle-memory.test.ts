import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MiB } from '#base/sizes.ts';
import { IdleMemory } from './idle-memory.ts';

function daemon() {
  const state = { isBusy: false, heap: 40 * MiB, live: 20 * MiB, collections: 0 };
  const memory = new IdleMemory({
    isBusy: () => state.isBusy,
    heapBytes: () => state.heap,
    collect() {
      state.collections += 1;
      state.heap = state.live;
    },
  });
  return { state, memory };
}

test('collects what a start left, once it has been quiet for a while, and then lets it be', () => {
  const { state, memory } = daemon();
  memory.check();
  assert.equal(state.collections, 0);
  memory.check();
  memory.check();
  memory.check();
  assert.equal(state.collections, 1);
});

test('collects again only when enough has come together', () => {
  const { state, memory } = daemon();
  memory.check();
  memory.check();
  state.heap += 3 * MiB;
  memory.check();
  assert.equal(state.collections, 1);
  state.heap += 3 * MiB;
  memory.check();
  assert.equal(state.collections, 2);
});

test('nobody who waits waits for it', () => {
  const { state, memory } = daemon();
  state.isBusy = true;
  memory.check();
  memory.check();
  state.isBusy = false;
  memory.check();
  assert.equal(state.collections, 0);
  memory.check();
  assert.equal(state.collections, 1);
});
