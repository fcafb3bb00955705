import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import fc from 'fast-check';
import { KeyedLocks } from './vm-locks.ts';

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** Holds `key` until the returned function is called. */
function hold(locks: KeyedLocks, key: string): () => Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const held = locks.run(key, () => promise);
  return () => {
    resolve();
    return held;
  };
}

test('bodies of one key run one after another, in the order in which they were asked for', async () => {
  const locks = new KeyedLocks();
  const seen: string[] = [];
  const body = (name: string) => async () => {
    seen.push(`${name} begins`);
    await nextTurn();
    seen.push(`${name} ends`);
  };
  await Promise.all(['a', 'b', 'c'].map((name) => locks.run('vm', body(name))));
  assert.deepEqual(seen, ['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
});

test('two keys do not wait for each other', async () => {
  const locks = new KeyedLocks();
  const release = hold(locks, 'one');
  assert.equal(await locks.run('two', async () => 'done'), 'done');
  await release();
});

test('what the body returns or throws comes out, and the lock is free after both', async () => {
  const locks = new KeyedLocks();
  await assert.rejects(
    locks.run('vm', async () => {
      throw new Error('body failed');
    }),
    /body failed/,
  );
  assert.equal(await locks.run('vm', async () => 7), 7);
});

test('a key is held from the request until the last body ended, and then forgotten', async () => {
  const locks = new KeyedLocks();
  assert.equal(locks.isHeld('vm'), false);
  const release = hold(locks, 'vm');
  const waiter = locks.run('vm', async () => {});
  assert.equal(locks.isHeld('vm'), true);
  assert.equal(locks.isHeld('other'), false);
  await release();
  await waiter;
  await nextTurn();
  assert.equal(locks.isHeld('vm'), false);
});

test('an aborted signal runs nothing and takes no place', async () => {
  const locks = new KeyedLocks();
  const reason = new Error('cancelled before');
  let ran = false;
  const run = locks.run('vm', async () => void (ran = true), { signal: AbortSignal.abort(reason) });
  await assert.rejects(run, (error) => error === reason);
  assert.equal(ran, false);
  assert.equal(locks.isHeld('vm'), false);
});

test('a waiter that is cancelled leaves the queue; those around it keep their order', async () => {
  const locks = new KeyedLocks();
  const controller = new AbortController();
  const reason = new Error('cancelled');
  const seen: string[] = [];
  const release = hold(locks, 'vm');
  const before = locks.run('vm', async () => void seen.push('before'));
  const cancelled = locks.run('vm', async () => void seen.push('cancelled'), { signal: controller.signal });
  const after = locks.run('vm', async () => void seen.push('after'));
  controller.abort(reason);
  await assert.rejects(cancelled, (error) => error === reason);
  assert.deepEqual(seen, [], 'nobody overtakes the holder');
  await release();
  await Promise.all([before, after]);
  assert.deepEqual(seen, ['before', 'after']);
});

test('a waiter is told of its abort at once, not when its turn comes', async () => {
  const locks = new KeyedLocks();
  const release = hold(locks, 'vm');
  const signal = AbortSignal.timeout(1);
  await assert.rejects(
    locks.run('vm', async () => {}, { signal }),
    { name: 'TimeoutError' },
  );
  assert.equal(locks.isHeld('vm'), true);
  await release();
});

test('the signal of a body that runs does not take its lock away', async () => {
  const locks = new KeyedLocks();
  const controller = new AbortController();
  const entered = Promise.withResolvers<void>();
  const leave = Promise.withResolvers<string>();
  const body = () => {
    entered.resolve();
    return leave.promise;
  };
  const running = locks.run('vm', body, { signal: controller.signal });
  await entered.promise;
  controller.abort(new Error('too late'));
  let overtaken = false;
  const next = locks.run('vm', async () => void (overtaken = true));
  await nextTurn();
  assert.equal(overtaken, false);
  leave.resolve('finished');
  assert.equal(await running, 'finished');
  await next;
});

test('waiting leaves no listener on a signal that lives longer', async () => {
  const locks = new KeyedLocks();
  const { signal } = new AbortController();
  const release = hold(locks, 'vm');
  const waiter = locks.run('vm', async () => {}, { signal });
  await release();
  await waiter;
  assert.equal(getEventListeners(signal, 'abort').length, 0);
});

test('a key can be locked inside the lock of another', async () => {
  const locks = new KeyedLocks();
  const nested = await locks.run('outer', () => locks.run('inner', async () => 'inside'));
  assert.equal(nested, 'inside');
});

interface Request {
  key: string;
  work: number;
  failing: boolean;
  abortAfter: number | undefined;
}

const request: fc.Arbitrary<Request> = fc.record({
  key: fc.constantFrom('a', 'b', 'c'),
  work: fc.nat(4),
  failing: fc.boolean(),
  abortAfter: fc.option(fc.nat(8), { nil: undefined }),
});

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await nextTurn();
}

test('whatever waits, fails and is cancelled: one body at a time, in order, each request settles, nothing is kept', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(request, { maxLength: 20 }), async (requests) => {
      const locks = new KeyedLocks();
      const inside = new Set<string>();
      const order = new Map<string, number[]>();
      const outcomes = await Promise.allSettled(
        requests.map(({ key, work, failing, abortAfter }, index) => {
          const controller = new AbortController();
          if (abortAfter !== undefined)
            void turns(abortAfter).then(() => controller.abort(new Error('cancelled')));
          const body = async () => {
            assert.ok(!inside.has(key), `two bodies inside "${key}"`);
            inside.add(key);
            order.set(key, [...(order.get(key) ?? []), index]);
            await turns(work);
            inside.delete(key);
            if (failing) throw new Error('body failed');
            return index;
          };
          return locks.run(key, body, { signal: controller.signal });
        }),
      );
      for (const [index, outcome] of outcomes.entries()) {
        const { key, failing, abortAfter } = requests[index] as Request;
        const ran = order.get(key)?.includes(index) ?? false;
        assert.equal(outcome.status, ran && !failing ? 'fulfilled' : 'rejected');
        if (abortAfter === undefined) assert.ok(ran, 'who does not give up gets its turn');
      }
      for (const indexes of order.values())
        assert.deepEqual(
          indexes,
          indexes.toSorted((a, b) => a - b),
        );
      await nextTurn();
      for (const key of ['a', 'b', 'c']) assert.equal(locks.isHeld(key), false);
    }),
    { numRuns: 60 },
  );
});
