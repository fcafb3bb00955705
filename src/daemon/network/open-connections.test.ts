import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OpenConnections } from './open-connections.ts';

test('no more than the limit are let in, and each makes room for another once', () => {
  const connections = new OpenConnections(2);
  const [first, second] = [connections.admit(() => {}), connections.admit(() => {})];
  assert.ok(first && second);
  assert.equal(
    connections.admit(() => {}),
    undefined,
  );
  first();
  first();
  assert.equal(connections.count, 1);
  assert.ok(connections.admit(() => {}));
  assert.equal(
    connections.admit(() => {}),
    undefined,
  );
});

test('closing ends them all and lets nobody in', () => {
  const connections = new OpenConnections(10);
  const ended: number[] = [];
  const releases = [1, 2, 3].map((number) => connections.admit(() => ended.push(number)));
  releases[1]?.();
  connections.close();
  assert.deepEqual(ended, [1, 3]);
  assert.equal(
    connections.admit(() => {}),
    undefined,
  );
  assert.equal(connections.count, 0);
});
