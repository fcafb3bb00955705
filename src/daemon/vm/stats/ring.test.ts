import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Ring } from './ring.ts';

test('holds the newest, never more than it may, in the order in which they came', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.array(fc.integer()), (capacity, items) => {
      const ring = new Ring<number>(capacity);
      for (const [index, item] of items.entries()) {
        ring.push(item);
        const soFar = items.slice(0, index + 1);
        assert.deepEqual(ring.last(1000), soFar.slice(-capacity));
      }
    }),
  );
});

test('gives as many of the newest as are asked for', () => {
  const ring = new Ring<string>(3);
  for (const item of ['a', 'b', 'c', 'd']) ring.push(item);
  assert.deepEqual(ring.last(0), []);
  assert.deepEqual(ring.last(2), ['c', 'd']);
  assert.deepEqual(ring.last(9), ['b', 'c', 'd']);
});

test('finds the newest that matches', () => {
  const ring = new Ring<number>(5);
  for (const item of [1, 2, 3, 4]) ring.push(item);
  assert.equal(
    ring.findNewest((item) => item < 4),
    3,
  );
  assert.equal(
    ring.findNewest((item) => item > 4),
    undefined,
  );
});
