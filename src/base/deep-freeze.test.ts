import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deepFreeze } from './deep-freeze.ts';

test('nothing of what was frozen can be changed, at any depth', () => {
  const data = deepFreeze({ name: 'demo', spec: { ports: [{ guest: 80 }] }, error: null });
  assert.throws(() => (data.name = 'other'), TypeError);
  assert.throws(() => data.spec.ports.push({ guest: 81 }), TypeError);
  assert.throws(() => (data.spec.ports[0] = { guest: 81 }), TypeError);
  const [port] = data.spec.ports;
  assert.ok(port);
  assert.throws(() => (port.guest = 81), TypeError);
  assert.deepEqual(data, { name: 'demo', spec: { ports: [{ guest: 80 }] }, error: null });
});

test('it is the same object, and what is no object is left as it is', () => {
  const data = {};
  assert.equal(deepFreeze(data), data);
  assert.equal(deepFreeze(7), 7);
  assert.equal(deepFreeze(null), null);
  assert.equal(deepFreeze(undefined), undefined);
});
