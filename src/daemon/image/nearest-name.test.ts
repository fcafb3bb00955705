import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearestName } from './nearest-name.ts';

const known = ['debian-bookworm', 'alpine'];

test('finds what was probably meant', () => {
  assert.equal(nearestName('debian-bokworm', known), 'debian-bookworm');
  assert.equal(nearestName('debian', known), 'debian-bookworm');
  assert.equal(nearestName('alpin', known), 'alpine');
  assert.equal(nearestName('alpnie', known), 'alpine');
});

test('does not guess wildly', () => {
  assert.equal(nearestName('windows-server', known), undefined);
  assert.equal(nearestName('', known), undefined);
  assert.equal(nearestName('debian', []), undefined);
});
