import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { isAbort, isTimeout, raceAbort, withTimeout } from './abort.ts';

/** Settles on the next turn of the loop, when every promise that could has settled before. */
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

test('raceAbort settles as the promise does while nobody aborts', async () => {
  const { signal } = new AbortController();
  assert.equal(await raceAbort(Promise.resolve('done'), signal), 'done');
  await assert.rejects(raceAbort(Promise.reject(new Error('broken')), signal), /broken/);
  assert.equal(await raceAbort(Promise.resolve('without a signal'), undefined), 'without a signal');
});

test('raceAbort rejects with the reason, not when the promise settles', async () => {
  const controller = new AbortController();
  const reason = new Error('enough');
  const race = raceAbort(new Promise(() => {}), controller.signal);
  controller.abort(reason);
  await assert.rejects(race, (error) => error === reason);
});

test('raceAbort with an aborted signal never yields the value', async () => {
  const reason = new Error('too late');
  await assert.rejects(raceAbort(Promise.resolve(1), AbortSignal.abort(reason)), (error) => error === reason);
});

test('raceAbort keeps a late failure of the abandoned promise from becoming unhandled', async (t) => {
  const unhandled: unknown[] = [];
  const listen = (error: unknown) => unhandled.push(error);
  process.on('unhandledRejection', listen);
  t.after(() => process.off('unhandledRejection', listen));
  const controller = new AbortController();
  const [first, second] = [Promise.withResolvers<never>(), Promise.withResolvers<never>()];
  const early = raceAbort(first.promise, controller.signal);
  controller.abort(new Error('stop'));
  const late = raceAbort(second.promise, controller.signal);
  await assert.rejects(early, /stop/);
  await assert.rejects(late, /stop/);
  for (const { reject } of [first, second]) reject(new Error('nobody reads this'));
  await nextTurn();
  assert.deepEqual(unhandled, []);
});

test('raceAbort leaves no listener on a signal that lives longer', async () => {
  const { signal } = new AbortController();
  await raceAbort(Promise.resolve(), signal);
  await raceAbort(Promise.reject(new Error('x')), signal).catch(() => {});
  await nextTurn();
  assert.equal(getEventListeners(signal, 'abort').length, 0);
});

test('withTimeout aborts after its time, with an error that isTimeout knows', async () => {
  const signal = withTimeout(1);
  await assert.rejects(
    raceAbort(new Promise((resolve) => setTimeout(resolve, 5000).unref()), signal),
    isTimeout,
  );
});

test('withTimeout aborts with the first given signal, whose reason it passes on', () => {
  const controller = new AbortController();
  const signal = withTimeout(60_000, undefined, controller.signal);
  assert.equal(signal.aborted, false);
  const reason = new Error('cancelled');
  controller.abort(reason);
  assert.equal(signal.reason, reason);
});

test('withTimeout treats a time beyond what a timer holds as long, not as none', async () => {
  for (const timeoutMs of [2 ** 31, 2 ** 40, Number.POSITIVE_INFINITY]) {
    const signal = withTimeout(timeoutMs);
    await new Promise((resolve) => setTimeout(resolve, 10));
    assert.equal(signal.aborted, false, String(timeoutMs));
  }
});

test('an abort without a reason is an abort and no timeout', () => {
  const { reason } = AbortSignal.abort() as { reason: unknown };
  assert.equal(isAbort(reason), true);
  assert.equal(isTimeout(reason), false);
  assert.equal(isAbort('AbortError'), false);
  assert.equal(isTimeout(undefined), false);
});
