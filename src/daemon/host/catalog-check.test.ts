import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CatalogProblem } from '#contract/owner/image.ts';
import { catalogCheck } from './catalog-check.ts';

const examine = (...problems: CatalogProblem[]) =>
  catalogCheck({
    refresh: async () => {},
    problems: () => problems,
    images: () => [],
    kernels: () => [],
  }).examine({});

test('passes when all that is written counts', async () => {
  const message = '0 images and 0 kernels can be made by name';
  assert.deepEqual(await examine(), { status: 'pass', message });
});

test('names what is wrong', async () => {
  const verdict = await examine({ catalog: '/a', entry: 'tool', problem: 'it has no url', isStale: false });
  assert.equal(verdict.status, 'fail');
  assert.equal(verdict.message, 'entry "tool" of "/a": it has no url');
});

test('only warns while the last copy of a catalog counts', async () => {
  const verdict = await examine({ catalog: 'https://x.example/', problem: 'no answer', isStale: true });
  assert.equal(verdict.status, 'warn');
  assert.match(verdict.message, /what it said last counts/);
});
