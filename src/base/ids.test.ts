import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newOperationId, newVmId, randomHex } from './ids.ts';

test('ids are hexadecimal of their full length, leading zeros kept', () => {
  for (let round = 0; round < 2000; round += 1) {
    assert.match(newVmId(), /^[0-9a-f]{12}$/);
    assert.match(newOperationId(), /^op-[0-9a-f]{12}$/);
  }
  assert.equal(randomHex(0), '');
  assert.match(randomHex(32), /^[0-9a-f]{64}$/);
});

test('ids do not repeat', () => {
  const ids = Array.from({ length: 2000 }, newVmId);
  assert.equal(new Set(ids).size, ids.length);
});
