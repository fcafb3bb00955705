import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_IMAGE } from '#contract/owner/vm.ts';
import { recipes } from './recipes.ts';

test('names are unique and the default is one of them', () => {
  const names = recipes.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  assert.ok(names.includes(DEFAULT_IMAGE));
});

test('names and packages are plain words, for they become arguments', () => {
  for (const { name, suite, packages } of recipes) {
    for (const word of [name, suite, ...packages]) assert.match(word, /^[a-z0-9][a-z0-9+.-]*$/);
  }
});
