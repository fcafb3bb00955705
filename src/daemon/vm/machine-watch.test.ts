import assert from 'node:assert/strict';
import { test } from 'node:test';
import { raceAbort } from '#base/abort.ts';
import { silentLogger, type LogFields, type Logger } from '#base/log.ts';
import { MachineWatch } from './machine-watch.ts';

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** Machines that end when told to; a VM may have one after another. */
class Machines {
  readonly #ends = new Map<string, PromiseWithResolvers<void>>();
  readonly settled: string[] = [];
  readonly errors: LogFields[] = [];
  /** Called for each machine that ended. */
  settle = async (id: string): Promise<void> => void this.settled.push(id);

  newWatch(): MachineWatch {
    const log: Logger = { ...silentLogger, error: (fields) => void this.errors.push(fields) };
    return new MachineWatch({
      waitForExit: (id, { signal }) => raceAbort(this.#endOf(id).promise, signal),
      onExit: (id) => this.settle(id),
      log,
    });
  }

  end(id: string): void {
    this.#endOf(id).resolve();
    this.#ends.delete(id);
  }

  fail(id: string, error: Error): void {
    this.#endOf(id).reject(error);
    this.#ends.delete(id);
  }

  #endOf(id: string): PromiseWithResolvers<void> {
    const end = this.#ends.get(id) ?? Promise.withResolvers<void>();
    this.#ends.set(id, end);
    return end;
  }
}

test('a machine that ends is settled, once, and only that one', async () => {
  const machines = new Machines();
  const watch = machines.newWatch();
  watch.watch('one');
  watch.watch('two');
  await nextTurn();
  assert.deepEqual(machines.settled, []);
  machines.end('two');
  await nextTurn();
  assert.deepEqual(machines.settled, ['two']);
  await watch.close();
  assert.deepEqual(machines.settled, ['two']);
});

test('a VM that is started again is watched again', async () => {
  const machines = new Machines();
  const watch = machines.newWatch();
  for (let life = 0; life < 3; life += 1) {
    watch.watch('one');
    await nextTurn();
    machines.end('one');
    await nextTurn();
  }
  assert.deepEqual(machines.settled, ['one', 'one', 'one']);
  await watch.close();
});

test('a VM started again before its last end is settled is watched after that', async () => {
  const machines = new Machines();
  const settling = Promise.withResolvers<void>();
  const seen: string[] = [];
  machines.settle = async (id) => {
    seen.push(`${id} ended`);
    await settling.promise;
    seen.push(`${id} settled`);
  };
  const watch = machines.newWatch();
  watch.watch('one');
  await nextTurn();
  machines.end('one');
  await nextTurn();
  watch.watch('one');
  await nextTurn();
  settling.resolve();
  await nextTurn();
  assert.deepEqual(seen, ['one ended', 'one settled']);
  machines.end('one');
  await nextTurn();
  assert.deepEqual(seen, ['one ended', 'one settled', 'one ended', 'one settled']);
  await watch.close();
});

test('a machine that cannot be settled is logged and keeps nobody else from being watched', async () => {
  const machines = new Machines();
  machines.settle = async (id) => {
    if (id === 'bad') throw new Error('cannot take down');
    machines.settled.push(id);
  };
  const watch = machines.newWatch();
  watch.watch('bad');
  watch.watch('good');
  await nextTurn();
  machines.end('bad');
  machines.end('good');
  await nextTurn();
  assert.deepEqual(machines.settled, ['good']);
  assert.deepEqual(machines.errors, [{ vm: 'bad', error: 'cannot take down' }]);
  await watch.close();
});

test('a wait that fails is logged, and the VM can be watched again', async () => {
  const machines = new Machines();
  const watch = machines.newWatch();
  watch.watch('one');
  await nextTurn();
  machines.fail('one', new Error('no such process table'));
  await nextTurn();
  assert.equal(machines.errors.length, 1);
  watch.watch('one');
  await nextTurn();
  machines.end('one');
  await nextTurn();
  assert.deepEqual(machines.settled, ['one']);
  await watch.close();
});

test('closing ends every watch without settling: the machines go on', async () => {
  const machines = new Machines();
  const watch = machines.newWatch();
  watch.watch('one');
  watch.watch('two');
  await watch.close();
  machines.end('one');
  await nextTurn();
  assert.deepEqual(machines.settled, []);
  assert.deepEqual(machines.errors, []);
});

test('a machine that ends while the daemon closes is left for the next one to settle', async () => {
  const machines = new Machines();
  const gone = new MachineWatch({ waitForExit: async () => {}, onExit: machines.settle, log: silentLogger });
  gone.watch('one');
  await gone.close();
  assert.deepEqual(machines.settled, []);
});

test('closing waits for what is being settled', async () => {
  const machines = new Machines();
  const settling = Promise.withResolvers<void>();
  machines.settle = () => settling.promise;
  const watch = machines.newWatch();
  watch.watch('one');
  await nextTurn();
  machines.end('one');
  await nextTurn();
  let closed = false;
  const closing = watch.close().then(() => (closed = true));
  await nextTurn();
  assert.equal(closed, false);
  settling.resolve();
  await closing;
  assert.equal(closed, true);
});
