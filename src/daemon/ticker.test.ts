import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { silentLogger, type LogFields, type Logger } from '#base/log.ts';
import { Ticker, type TickerOptions } from './ticker.ts';

const INTERVAL_MS = 1000;
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

let errors: LogFields[] = [];
const log: Logger = { ...silentLogger, error: (fields) => void errors.push(fields) };

beforeEach(() => {
  errors = [];
  mock.timers.enable({ apis: ['setTimeout'] });
});
afterEach(() => mock.timers.reset());

function newTicker(body: TickerOptions['body']): Ticker {
  return new Ticker({ name: 'work', intervalMs: INTERVAL_MS, body, log });
}

async function pass(ms: number): Promise<void> {
  mock.timers.tick(ms);
  await nextTurn();
}

test('the first run is one interval away, the next one interval after its end', async () => {
  let runs = 0;
  const ticker = newTicker(() => void (runs += 1));
  await pass(INTERVAL_MS - 1);
  assert.equal(runs, 0);
  await pass(1);
  assert.equal(runs, 1);
  await pass(INTERVAL_MS);
  assert.equal(runs, 2);
  await ticker.close();
});

test('a run that takes long is not overlapped, and nothing is made up for', async () => {
  let running = 0;
  let runs = 0;
  const ends = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const ticker = newTicker(async () => {
    running += 1;
    assert.equal(running, 1);
    await ends[runs]?.promise;
    runs += 1;
    running -= 1;
  });
  await pass(INTERVAL_MS);
  await pass(10 * INTERVAL_MS);
  assert.deepEqual([running, runs], [1, 0]);
  ends[0]?.resolve();
  await nextTurn();
  assert.deepEqual([running, runs], [0, 1]);
  await pass(INTERVAL_MS);
  assert.deepEqual([running, runs], [1, 1]);
  ends[1]?.resolve();
  await ticker.close();
  assert.equal(runs, 2);
});

test('a run that fails, at once or later, is logged and followed by the next', async () => {
  const atOnce = new Error('at once');
  const later = new Error('later');
  let runs = 0;
  const ticker = newTicker(() => {
    runs += 1;
    if (runs === 1) throw atOnce;
    return runs === 2 ? Promise.reject(later) : Promise.resolve();
  });
  await pass(INTERVAL_MS);
  await pass(INTERVAL_MS);
  await pass(INTERVAL_MS);
  assert.equal(runs, 3);
  assert.deepEqual(
    errors,
    [atOnce, later].map((err) => ({ ticker: 'work', err })),
  );
  await ticker.close();
});

test('closing between two runs ends it for good', async () => {
  let runs = 0;
  const ticker = newTicker(() => void (runs += 1));
  await ticker.close();
  await pass(5 * INTERVAL_MS);
  assert.equal(runs, 0);
});

test('closing aborts the run that is under way, waits for it, and logs nothing', async () => {
  const order: string[] = [];
  const ticker = newTicker(async ({ signal }) => {
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    await nextTurn();
    order.push('run ended');
    signal.throwIfAborted();
  });
  await pass(INTERVAL_MS);
  await Promise.all([ticker.close(), ticker.close()]);
  order.push('closed');
  assert.deepEqual(order, ['run ended', 'closed']);
  assert.deepEqual(errors, []);
  await pass(5 * INTERVAL_MS);
  assert.equal(order.length, 2);
});
