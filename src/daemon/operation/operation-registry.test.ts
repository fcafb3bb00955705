import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { delay } from '#base/backoff.ts';
import { joinErrors } from '#base/errors.ts';
import type { LogFields, Logger } from '#base/log.ts';
import { UserError } from '#contract/errors.ts';
import type { Operation } from '#contract/owner/operation.ts';
import { OperationRegistry } from './operation-registry.ts';
import type { OperationContext } from './operations.ts';

interface LogLine extends LogFields {
  message: string;
}

/** Keeps what is logged, with the fields of its parents. */
function memoryLogger(lines: LogLine[], parent: LogFields = {}): Logger {
  const add = (fields: LogFields, message: string) => void lines.push({ ...parent, ...fields, message });
  return {
    debug: add,
    info: add,
    warn: add,
    error: add,
    child: (fields) => memoryLogger(lines, { ...parent, ...fields }),
  };
}

function setUp() {
  const lines: LogLine[] = [];
  const clock = { now: () => time.ms };
  const time = { ms: 1_000_000 };
  return { registry: new OperationRegistry({ log: memoryLogger(lines), clock }), lines, time };
}

/** Runs until it is cancelled. */
async function untilCancelled({ signal }: OperationContext): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

async function lastOf(events: AsyncIterable<Operation>): Promise<Operation | undefined> {
  let last: Operation | undefined;
  for await (const event of events) last = event;
  return last;
}

describe('an operation', () => {
  it('begins at once and tells what it does until its result', async () => {
    const { registry } = setUp();
    const go = Promise.withResolvers<void>();
    const first = registry.begin({ kind: 'vm.stop', vm: { id: '1', name: 'demo' } }, async (context) => {
      context.stage('sync');
      context.detail('flushing');
      context.progress(1, 2, 'items');
      await go.promise;
      context.stage('power-off');
      return { stop: 'powered-off' };
    });
    assert.equal(first.status, 'running');
    const { stage, detail, progress } = registry.get(first.id);
    assert.deepEqual(
      { stage, detail, progress },
      { stage: 'sync', detail: 'flushing', progress: { done: 1, total: 2, unit: 'items' } },
    );
    go.resolve();
    const last = await lastOf(registry.events(first.id, {}));
    assert.equal(last?.status, 'succeeded');
    assert.deepEqual(last?.result, { stop: 'powered-off' });
    assert.deepEqual([last?.stage, last?.detail, last?.progress], ['power-off', undefined, undefined]);
    assert.ok(last?.finishedAt);
  });

  it('takes its subject when that is known', async () => {
    const { registry } = setUp();
    const { id } = registry.begin({ kind: 'vm.create' }, async (context) => {
      context.subject({ id: '1', name: 'demo' });
      return {};
    });
    assert.deepEqual(registry.get(id).vm, { id: '1', name: 'demo' });
    await lastOf(registry.events(id, {}));
  });

  it('fails with what a user may know', async () => {
    const { registry } = setUp();
    const { id } = registry.begin({ kind: 'vm.start' }, async () => {
      throw new UserError('HOST_DISK_FULL', 'Cannot start: full', {
        hint: 'make room',
        details: { freeBytes: 0 },
      });
    });
    const last = await lastOf(registry.events(id, {}));
    assert.equal(last?.status, 'failed');
    assert.deepEqual(last?.error, {
      code: 'HOST_DISK_FULL',
      message: 'Cannot start: full',
      hint: 'make room',
      details: { freeBytes: 0 },
      operationId: id,
    });
  });

  it('fails with a bug that only the log tells of', async () => {
    const { registry, lines } = setUp();
    const bug = new TypeError('secret');
    const { id } = registry.begin({ kind: 'vm.start' }, () => {
      throw bug; // even before it returns a promise
    });
    const last = await lastOf(registry.events(id, {}));
    assert.equal(last?.error?.code, 'INTERNAL');
    assert.match(last?.error?.message ?? '', new RegExp(id));
    assert.doesNotMatch(JSON.stringify(last), /secret/);
    assert.ok(lines.some((line) => line['err'] === bug));
    assert.ok(lines.length > 1 && lines.every((line) => line['operationId'] === id));
  });

  it('says nothing more after its end', async () => {
    const { registry } = setUp();
    let late: OperationContext | undefined;
    const { id } = registry.begin({ kind: 'vm.start' }, async (context) => {
      late = context;
      return {};
    });
    const last = await lastOf(registry.events(id, {}));
    late?.stage('zombie');
    late?.progress(1, 1, 'bytes');
    assert.equal(registry.get(id), last);
  });
});

describe('cancelling', () => {
  it('waits for the rollback', async () => {
    const { registry } = setUp();
    let rolledBack = false;
    const { id } = registry.begin({ kind: 'vm.create' }, async (context) => {
      try {
        return await untilCancelled(context);
      } finally {
        await delay(5);
        rolledBack = true;
      }
    });
    const [one, two] = await Promise.all([registry.cancel(id), registry.cancel(id)]);
    assert.ok(rolledBack);
    assert.deepEqual([one.status, one.error?.code], ['cancelled', 'OPERATION_CANCELLED']);
    assert.equal(two, one);
    assert.equal(await registry.cancel(id), one);
  });

  it('comes too late for what succeeds all the same', async () => {
    const { registry } = setUp();
    const { id } = registry.begin({ kind: 'vm.create' }, async ({ signal }) => {
      await new Promise((resolve) => {
        signal.addEventListener('abort', resolve, { once: true });
      });
      return {};
    });
    assert.equal((await registry.cancel(id)).status, 'succeeded');
  });

  it('is seen through the errors of drivers', async () => {
    const { registry } = setUp();
    const { id } = registry.begin({ kind: 'vm.create' }, async (context) => {
      try {
        return await untilCancelled(context);
      } catch (error) {
        throw new UserError('MACHINE_START_FAILED', 'Cannot start', { cause: error });
      }
    });
    assert.equal((await registry.cancel(id)).status, 'cancelled');
  });

  it('that could not roll back is a failure', async () => {
    const { registry } = setUp();
    const { id } = registry.begin({ kind: 'vm.create' }, async (context) => {
      try {
        return await untilCancelled(context);
      } catch (error) {
        throw joinErrors([error, new Error('cannot undo')], 'rolling back') as Error;
      }
    });
    const { status, error } = await registry.cancel(id);
    assert.deepEqual([status, error?.code], ['failed', 'INTERNAL']);
  });

  it('of nothing is an error', async () => {
    const { registry } = setUp();
    await assert.rejects(registry.cancel('op-none'), { code: 'OPERATION_NOT_FOUND' });
    assert.throws(() => registry.get('op-none'), { code: 'OPERATION_NOT_FOUND' });
    assert.throws(() => registry.events('op-none', {}), { code: 'OPERATION_NOT_FOUND' });
  });
});

describe('subscribers', () => {
  it('that come after the end get the last snapshot', async () => {
    const { registry } = setUp();
    const { id } = registry.begin({ kind: 'vm.start' }, async () => ({}));
    await lastOf(registry.events(id, {}));
    const late: Operation[] = [];
    for await (const event of registry.events(id, {})) late.push(event);
    assert.deepEqual(late, [registry.get(id)]);
  });

  it('that leave do not disturb', async () => {
    const { registry } = setUp();
    const { id } = registry.begin({ kind: 'vm.start' }, untilCancelled);
    for await (const _ of registry.events(id, {})) break;
    const leaving = new AbortController();
    const watching = lastOf(registry.events(id, { signal: leaving.signal }));
    leaving.abort(new Error('left'));
    await assert.rejects(watching, /left/);
    assert.equal(registry.get(id).status, 'running');
    await registry.close();
  });

  it('that are slow get the newest, in order, and always the end', async () => {
    const speeds = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(speeds, speeds, async (writerPauses, readerPauses) => {
        const { registry } = setUp();
        const { id } = registry.begin({ kind: 'vm.start' }, async (context) => {
          for (const [step, turns] of writerPauses.entries()) {
            context.progress(step + 1, undefined, 'items');
            await turnsOfTheLoop(turns);
          }
          return {};
        });
        const seen: Operation[] = [];
        for await (const event of registry.events(id, {})) {
          seen.push(event);
          await turnsOfTheLoop(readerPauses[seen.length % readerPauses.length] ?? 0);
        }
        const steps = seen.map((event) => event.progress?.done ?? 0);
        assert.deepEqual(
          steps,
          steps.toSorted((a, b) => a - b),
        );
        assert.deepEqual(
          seen.filter(({ status }) => status !== 'running'),
          [registry.get(id)],
        );
        assert.equal(new Set(seen).size, seen.length);
      }),
      { numRuns: 50 },
    );
  });
});

describe('the registry', () => {
  it('forgets what ended long ago, and nothing else', async () => {
    const { registry, time } = setUp();
    const old = registry.begin({ kind: 'vm.start' }, async () => ({}));
    await lastOf(registry.events(old.id, {}));
    const running = registry.begin({ kind: 'vm.stop' }, untilCancelled);
    time.ms += 10_000;
    const recent = registry.begin({ kind: 'vm.start' }, async () => ({}));
    await lastOf(registry.events(recent.id, {}));
    registry.prune(5000);
    assert.deepEqual(
      registry.list().map(({ id }) => id),
      [running.id, recent.id],
    );
    await registry.close();
  });

  it('closes when everything has rolled back, and begins nothing more', async () => {
    const { registry } = setUp();
    const { id } = registry.begin({ kind: 'vm.create' }, untilCancelled);
    const last = lastOf(registry.events(id, {}));
    await registry.close();
    assert.deepEqual(
      [registry.get(id).status, registry.get(id).error?.code],
      ['cancelled', 'DAEMON_STOPPING'],
    );
    assert.equal(await last, registry.get(id));
    assert.throws(() => registry.begin({ kind: 'vm.start' }, async () => ({})), { code: 'DAEMON_STOPPING' });
    await registry.close();
  });
});

async function turnsOfTheLoop(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise(setImmediate);
}
