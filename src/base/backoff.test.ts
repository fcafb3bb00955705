import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { delay, pollUntil } from './backoff.ts';

test('delay resolves after its time and leaves the signal as it was', async () => {
  const { signal } = new AbortController();
  const before = performance.now();
  await delay(20, { signal });
  assert.ok(performance.now() - before >= 19);
  assert.equal(getEventListeners(signal, 'abort').length, 0);
});

test('delay rejects with the reason as soon as its signal aborts, and at once when it has', async () => {
  const controller = new AbortController();
  const reason = new Error('shutting down');
  const waiting = delay(60_000, { signal: controller.signal });
  controller.abort(reason);
  await assert.rejects(waiting, (error) => error === reason);
  await assert.rejects(delay(60_000, { signal: controller.signal }), (error) => error === reason);
});

test('pollUntil answers with the first answer, which may be falsy', async () => {
  const answers = [undefined, undefined, 0];
  assert.equal(await pollUntil(() => answers.shift()), 0);
  assert.equal(await pollUntil(async () => false), false);
});

test('pollUntil pauses longer each time, up to the bound', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const askedAt: number[] = [];
  const polling = pollUntil(
    () => {
      askedAt.push(Date.now());
      return askedAt.length === 6 ? 'ready' : undefined;
    },
    { firstMs: 10, maxMs: 30 },
  );
  for (let elapsed = 0; elapsed < 200; elapsed += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    t.mock.timers.tick(1);
  }
  assert.equal(await polling, 'ready');
  const pauses = askedAt.slice(1).map((time, index) => time - (askedAt[index] as number));
  assert.deepEqual(
    pauses.toSorted((a, b) => a - b),
    pauses,
  );
  assert.equal(pauses[0], 10);
  assert.equal(pauses.at(-1), 30);
});

test('pollUntil ends with the reason of its signal, between questions and before the first', async () => {
  const controller = new AbortController();
  const reason = new Error('given up');
  const polling = pollUntil(() => undefined, { signal: controller.signal });
  controller.abort(reason);
  await assert.rejects(polling, (error) => error === reason);
  const probe = () => 'answer';
  await assert.rejects(pollUntil(probe, { signal: controller.signal }), (error) => error === reason);
});

test('pollUntil passes on what the probe throws', async () => {
  await assert.rejects(
    pollUntil(() => {
      throw new Error('probe broke');
    }),
    /probe broke/,
  );
});
