import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MiB } from '#base/sizes.ts';
import { EarlySync } from './early-sync.ts';

test('syncs now and then, one at a time', async () => {
  const running: PromiseWithResolvers<void>[] = [];
  const sync = new EarlySync({
    datasync: () => {
      running.push(Promise.withResolvers());
      return running.at(-1)!.promise;
    },
  });
  for (let written = 0; written < 100; written += 1) sync.wrote(MiB);
  assert.equal(running.length, 1);
  running[0]!.resolve();
  await sync.settle();
  sync.wrote(MiB);
  assert.equal(running.length, 2);
  running[1]!.resolve();
  await sync.settle();
});

test('what could not be written is said in the end, also when later syncs succeed', async () => {
  const failure = new Error('EIO');
  let calls = 0;
  const sync = new EarlySync({
    datasync: () => (calls++ === 0 ? Promise.reject(failure) : Promise.resolve()),
  });
  sync.wrote(32 * MiB);
  await new Promise(setImmediate);
  sync.wrote(32 * MiB);
  assert.equal(calls, 2);
  await assert.rejects(sync.settle(), failure);
});
