import assert from 'node:assert/strict';
import { test } from 'node:test';
import { editDistance, nearest } from './nearest.ts';

test('edit distance counts insertions, deletions, substitutions and swaps', () => {
  assert.equal(editDistance('memory', 'memory'), 0);
  assert.equal(editDistance('memroy', 'memory'), 1);
  assert.equal(editDistance('memry', 'memory'), 1);
  assert.equal(editDistance('memoryy', 'memory'), 1);
  assert.equal(editDistance('mamory', 'memory'), 1);
  assert.equal(editDistance('', 'abc'), 3);
  assert.equal(editDistance('abc', ''), 3);
});

const FLAGS = ['name', 'image', 'vcpu', 'memory', 'disk-size', 'no-network', 'rm', 'detach'];

for (const [typed, meant] of [
  ['memroy', 'memory'],
  ['disksize', 'disk-size'],
  ['no-netwrok', 'no-network'],
  ['cpu', 'vcpu'],
  ['mem', 'memory'],
  ['size', 'disk-size'],
  ['Name', 'name'],
  ['r', 'rm'],
] as const) {
  test(`${typed} means ${meant}`, () => assert.equal(nearest(typed, FLAGS), meant));
}

for (const typed of ['foo', 'xyz', 'publish', 'q']) {
  test(`${typed} means nothing here`, () => assert.equal(nearest(typed, FLAGS), undefined));
}
