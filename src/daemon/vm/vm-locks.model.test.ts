import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc, { type Scheduler } from 'fast-check';
import type { VmState } from '#contract/owner/vm.ts';
import { KeyedLocks } from './vm-locks.ts';
import { mayFollow } from './vm-states.ts';

type Verb = 'start' | 'stop' | 'restart' | 'set' | 'delete';

interface Order {
  vm: string;
  verb: Verb;
  /** Its body fails half way, and is rolled back. */
  fails: boolean;
  /** Cancelled when so many other steps were taken. */
  cancelAfter: number | undefined;
}

const VMS = ['a', 'b', 'c'];

const order: fc.Arbitrary<Order> = fc.record({
  vm: fc.constantFrom(...VMS),
  verb: fc.constantFrom<Verb>('start', 'start', 'stop', 'restart', 'set', 'delete'),
  fails: fc.boolean(),
  cancelAfter: fc.option(fc.nat(12), { nil: undefined }),
});

interface Row {
  state: VmState;
  changes: number;
}

type Outcome = 'done' | 'failed' | 'cancelled' | 'not-found';

/** Lifecycle operations as the real service has them: a lock from beginning to end, transient states in between, rollback. */
class Service {
  readonly rows = new Map<string, Row>(VMS.map((vm) => [vm, { state: 'stopped', changes: 0 }]));
  /** Which order's body had the VM, in order. */
  readonly turns = new Map<string, number[]>(VMS.map((vm) => [vm, []]));
  readonly #locks = new KeyedLocks();
  readonly #inside = new Map<string, number>();
  readonly #step: () => Promise<void>;
  /** The most VMs that were worked on at the same time. */
  width = 0;

  constructor(step: () => Promise<void>) {
    this.#step = step;
  }

  isHeld(vm: string): boolean {
    return this.#locks.isHeld(vm);
  }

  async obey(index: number, { vm, verb, fails }: Order, signal: AbortSignal): Promise<Outcome> {
    try {
      return await this.#locks.run(vm, () => this.#body(index, { vm, verb, fails }), { signal });
    } catch (error) {
      if (error === signal.reason) return 'cancelled';
      throw error;
    }
  }

  async #body(index: number, { vm, verb, fails }: Omit<Order, 'cancelAfter'>): Promise<Outcome> {
    assert.ok(!this.#inside.has(vm), `order ${index} has "${vm}" together with ${this.#inside.get(vm)}`);
    this.#inside.set(vm, index);
    this.width = Math.max(this.width, this.#inside.size);
    this.turns.get(vm)?.push(index);
    try {
      await this.#step();
      return await this.#act(vm, verb, fails);
    } finally {
      this.#inside.delete(vm);
    }
  }

  async #act(vm: string, verb: Verb, fails: boolean): Promise<Outcome> {
    const row = this.rows.get(vm);
    if (!row) return 'not-found';
    switch (verb) {
      case 'start':
        return this.#start(row, fails);
      case 'stop':
        return this.#stop(row);
      case 'restart':
        await this.#stop(row);
        return this.#start(row, fails);
      case 'set':
        await this.#step();
        row.changes += 1;
        return 'done';
      case 'delete':
        await this.#go(row, 'deleting');
        this.rows.delete(vm);
        return 'done';
    }
  }

  async #start(row: Row, fails: boolean): Promise<Outcome> {
    if (row.state === 'running') return 'done';
    await this.#go(row, 'starting');
    await this.#go(row, fails ? 'stopped' : 'running');
    return fails ? 'failed' : 'done';
  }

  async #stop(row: Row): Promise<Outcome> {
    if (row.state !== 'running') return 'done';
    await this.#go(row, 'stopping');
    await this.#go(row, 'stopped');
    return 'done';
  }

  /** Nobody else may have changed the row while the step took its time. */
  async #go(row: Row, state: VmState): Promise<void> {
    const before = row.state;
    await this.#step();
    assert.equal(row.state, before);
    assert.ok(mayFollow(before, state), `${before} to ${state}`);
    row.state = state;
  }
}

/** What each order does to a VM that nobody else touches. */
function predict(row: Row | undefined, { verb, fails }: Order): { row: Row | undefined; outcome: Outcome } {
  if (!row) return { row, outcome: 'not-found' };
  const isStarted = verb === 'start' && row.state === 'running';
  if ((verb === 'start' && !isStarted) || verb === 'restart')
    return { row: { ...row, state: fails ? 'stopped' : 'running' }, outcome: fails ? 'failed' : 'done' };
  if (verb === 'stop') return { row: { ...row, state: 'stopped' }, outcome: 'done' };
  if (verb === 'set') return { row: { ...row, changes: row.changes + 1 }, outcome: 'done' };
  if (verb === 'delete') return { row: undefined, outcome: 'done' };
  return { row, outcome: 'done' };
}

/** Gives all orders at once and takes the steps of all of them in the order that the scheduler chooses. */
async function run(scheduler: Scheduler, orders: readonly Order[]) {
  let steps = 0;
  const cancels: { after: number; controller: AbortController }[] = [];
  const service = new Service(async () => {
    await scheduler.schedule(Promise.resolve());
    steps += 1;
    for (const { after, controller } of cancels) if (after <= steps) controller.abort(new Error('cancelled'));
  });
  const outcomes = orders.map((one, index) => {
    const controller = new AbortController();
    if (one.cancelAfter !== undefined) cancels.push({ after: one.cancelAfter, controller });
    return service.obey(index, one, controller.signal);
  });
  await scheduler.waitFor(Promise.all(outcomes));
  return { service, outcomes: await Promise.all(outcomes) };
}

test('whatever is asked for at once: in order on each VM, alone on it, cancellable while it waits, and as the model says in the end', async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fc.array(order, { maxLength: 24 }), async (scheduler, orders) => {
      const { service, outcomes } = await run(scheduler, orders);
      for (const vm of VMS) {
        const own = orders.flatMap((one, index) => (one.vm === vm ? [index] : []));
        const obeyed = own.filter((index) => outcomes[index] !== 'cancelled');
        assert.deepEqual(service.turns.get(vm), obeyed, 'in the order in which they were asked for');
        let row: Row | undefined = { state: 'stopped', changes: 0 };
        for (const index of obeyed) {
          const next = predict(row, orders[index] as Order);
          assert.equal(outcomes[index], next.outcome);
          row = next.row;
        }
        assert.deepEqual(service.rows.get(vm), row);
        for (const index of own.filter((one) => !obeyed.includes(one)))
          assert.notEqual(orders[index]?.cancelAfter, undefined, 'only who gives up is left out');
      }
      await new Promise((resolve) => setImmediate(resolve));
      for (const vm of VMS) assert.equal(service.isHeld(vm), false, 'no lock is stuck');
    }),
    { numRuns: 120 },
  );
});

test('a VM whose operation hangs keeps nobody from the others, and those who wait for it can leave', async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...VMS), fc.array(order, { maxLength: 16 }), async (hung, orders) => {
      const locks = new KeyedLocks();
      const never = Promise.withResolvers<void>();
      const hanging = locks.run(hung, () => never.promise);
      const controller = new AbortController();
      const reason = new Error('cancelled');
      const waiting = orders.map(({ vm }) => locks.run(vm, async () => vm, { signal: controller.signal }));
      const isOther = (_: unknown, index: number) => orders[index]?.vm !== hung;
      await Promise.all(waiting.filter(isOther));
      controller.abort(reason);
      for (const one of waiting.filter((_, index) => !isOther(_, index)))
        await assert.rejects(one, (error) => error === reason);
      never.resolve();
      await hanging;
      assert.equal(await locks.run(hung, async () => 'free'), 'free');
    }),
    { numRuns: 100 },
  );
});

test('the model sees several VMs worked on at once', async () => {
  const orders = VMS.map((vm): Order => ({ vm, verb: 'start', fails: false, cancelAfter: undefined }));
  const [scheduler] = fc.sample(fc.scheduler(), 1);
  const { service } = await run(scheduler as Scheduler, orders);
  assert.equal(service.width, VMS.length);
});
