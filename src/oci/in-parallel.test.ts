import assert from 'node:assert/strict';
import { test } from 'node:test';
import { delay } from '#base/backoff.ts';
import { inParallel } from './in-parallel.ts';

test('all items are worked on, so many at a time', async () => {
  let running = 0;
  let most = 0;
  const done = new Set<number>();
  await inParallel([1, 2, 3, 4, 5], { limit: 2 }, async (item) => {
    running += 1;
    most = Math.max(most, running);
    await delay(1);
    running -= 1;
    done.add(item);
  });
  assert.equal(most, 2);
  assert.deepEqual(done, new Set([1, 2, 3, 4, 5]));
});

test('the first failure stops the others and is thrown when they have ended', async () => {
  const ended: string[] = [];
  const work = inParallel(['bad', 'slow', 'never'], { limit: 2 }, async (item, { signal }) => {
    if (item === 'bad') throw new Error('bad item');
    await delay(60_000, { signal }).finally(() => ended.push(item));
  });
  await assert.rejects(work, /bad item/);
  assert.deepEqual(ended, ['slow']);
});

test('cancelling stops all', async () => {
  const signal = AbortSignal.abort(new Error('enough'));
  await assert.rejects(
    inParallel([1], { limit: 1, signal }, async () => assert.fail('begun')),
    /enough/,
  );
});
