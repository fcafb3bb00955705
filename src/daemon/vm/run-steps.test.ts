import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogFields, Logger } from '#base/log.ts';
import type { OperationContext } from '../operation/operations.ts';
import { runAll, runSteps, type Step } from './run-steps.ts';

/** A context that remembers what was said to it. */
class Witness implements OperationContext {
  readonly id = 'op-000000000001';
  readonly controller = new AbortController();
  readonly signal = this.controller.signal;
  readonly stages: string[] = [];
  readonly errors: LogFields[] = [];
  readonly log: Logger = {
    debug() {},
    info() {},
    warn() {},
    error: (fields) => void this.errors.push(fields),
    child: () => this.log,
  };
  stage(name: string): void {
    this.stages.push(name);
  }
  subject(): void {}
  detail(): void {}
  progress(): void {}
}

/** Steps over one list of what is there: a step adds its name, undoing it takes the name out. */
class House {
  readonly there: string[] = [];
  readonly undone: string[] = [];

  step(name: string, differences: Partial<Step> = {}): Step {
    return {
      name,
      run: async () => void this.there.push(name),
      undo: async () => {
        this.undone.push(name);
        const index = this.there.indexOf(name);
        if (index !== -1) this.there.splice(index, 1);
      },
      ...differences,
    };
  }

  /** Does half of its work, then fails. */
  failing(name: string, error: unknown): Step {
    return this.step(name, {
      run: async () => {
        this.there.push(name);
        throw error;
      },
    });
  }
}

test('steps run in order, each announced as the stage before it runs', async () => {
  const house = new House();
  const context = new Witness();
  const steps = ['cellar', 'walls', 'roof'].map((name) =>
    house.step(name, {
      run: async () => {
        assert.equal(context.stages.at(-1), name);
        house.there.push(name);
      },
    }),
  );
  await runSteps(steps, context);
  assert.deepEqual(house.there, ['cellar', 'walls', 'roof']);
  assert.deepEqual(context.stages, ['cellar', 'walls', 'roof']);
  assert.deepEqual(house.undone, []);
});

test('a step is given the context of the operation', async () => {
  const context = new Witness();
  let given: OperationContext | undefined;
  await runSteps([{ name: 'look', run: async (received) => void (given = received) }], context);
  assert.equal(given, context);
});

test('when a step fails, it and those before it are undone in reverse; later ones are not touched', async () => {
  const house = new House();
  const failure = new Error('no wood');
  const steps = [
    house.step('cellar'),
    house.step('walls'),
    house.failing('roof', failure),
    house.step('paint'),
  ];
  await assert.rejects(runSteps(steps, new Witness()), (error) => error === failure);
  assert.deepEqual(house.undone, ['roof', 'walls', 'cellar']);
  assert.deepEqual(house.there, []);
});

test('a step without an undo is passed over when rolling back', async () => {
  const house = new House();
  const look: Step = { name: 'look', run: async () => {} };
  await assert.rejects(
    runSteps([house.step('cellar'), look, house.failing('walls', new Error('x'))], new Witness()),
  );
  assert.deepEqual(house.undone, ['walls', 'cellar']);
});

test('a failing undo neither stops the others nor hides the first error; the log tells', async () => {
  const house = new House();
  const context = new Witness();
  const stuck = house.step('walls', {
    undo: async () => {
      throw new Error('walls are stuck');
    },
  });
  const crooked = house.step('floor', {
    undo: () => {
      throw new Error('not even a promise');
    },
  });
  const steps = [house.step('cellar'), stuck, crooked, house.failing('roof', new Error('no wood'))];
  await assert.rejects(runSteps(steps, context), /no wood/);
  assert.deepEqual(house.undone, ['roof', 'cellar']);
  const [logged] = context.errors.map((fields) => fields['err']);
  assert.ok(logged instanceof AggregateError);
  assert.deepEqual(
    logged.errors.map((error: Error) => error.message),
    ['not even a promise', 'walls are stuck'],
  );
});

test('a step that throws before it returns a promise is undone like any other', async () => {
  const house = new House();
  const step = house.step('cellar', {
    run: () => {
      throw new Error('synchronous');
    },
  });
  await assert.rejects(runSteps([step], new Witness()), /synchronous/);
  assert.deepEqual(house.undone, ['cellar']);
});

test('cancelled between two steps: the next does not begin, those done are undone, the reason comes out', async () => {
  const house = new House();
  const context = new Witness();
  const reason = new Error('cancelled by the user');
  const walls = house.step('walls', {
    run: async () => {
      house.there.push('walls');
      context.controller.abort(reason);
    },
  });
  await assert.rejects(
    runSteps([house.step('cellar'), walls, house.step('roof')], context),
    (error) => error === reason,
  );
  assert.deepEqual(context.stages, ['cellar', 'walls']);
  assert.deepEqual(house.undone, ['walls', 'cellar']);
});

test('cancelled before the first step: nothing begins and nothing is undone', async () => {
  const house = new House();
  const context = new Witness();
  context.controller.abort(new Error('never mind'));
  await assert.rejects(runSteps([house.step('cellar')], context), /never mind/);
  assert.deepEqual([house.there, house.undone, context.stages], [[], [], []]);
});

test('cancelled during the last step, which finished all the same: the work is done', async () => {
  const house = new House();
  const context = new Witness();
  const last = house.step('roof', {
    run: async () => {
      house.there.push('roof');
      context.controller.abort(new Error('too late'));
    },
  });
  await runSteps([last], context);
  assert.deepEqual(house.there, ['roof']);
});

test('failpoints stand before and after each step; one that throws fails the step', async () => {
  const house = new House();
  const points: string[] = [];
  await runSteps([house.step('cellar'), house.step('walls')], new Witness(), (name) => points.push(name));
  assert.deepEqual(points, ['cellar:before', 'cellar:after', 'walls:before', 'walls:after']);
  const failpoint = (name: string) => {
    if (name === 'walls:after') throw new Error('injected');
  };
  const second = new House();
  await assert.rejects(
    runSteps([second.step('cellar'), second.step('walls')], new Witness(), failpoint),
    /injected/,
  );
  assert.deepEqual(second.undone, ['walls', 'cellar']);
});

test('no steps are no work', async () => {
  await runSteps([], new Witness());
});

test('runAll runs every part in order whatever the others do, and joins their errors', async () => {
  const ran: string[] = [];
  const part = (name: string, error?: Error) => async () => {
    ran.push(name);
    if (error) throw error;
  };
  const parts = [part('a', new Error('first')), part('b'), part('c', new Error('second'))];
  await assert.rejects(runAll(parts, 'Cannot take down'), (error) => {
    assert.ok(error instanceof AggregateError);
    assert.equal(error.message, 'Cannot take down: first; second');
    return true;
  });
  assert.deepEqual(ran, ['a', 'b', 'c']);
});

test('runAll throws a single error as it is, and nothing when all went well', async () => {
  const only = new Error('only one');
  await assert.rejects(
    runAll([async () => {}, () => Promise.reject(only)], 'Cannot take down'),
    (error) => error === only,
  );
  await runAll([async () => 'ignored'], 'Cannot take down');
});
