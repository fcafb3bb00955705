import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createMachineHome } from '../support/artifacts.ts';
import { markVerb } from '../support/storm/mark-verb.ts';
import { realMachinesIn } from '../support/storm/real-machines.ts';
import { Storm } from '../support/storm/storm.ts';

const seed = Number(process.env['BANGER_STORM_SEED'] ?? Date.now() % 1_000_000);

/** A short one: `npm run storm` rages as long as one wants, and shows what it does. */
it(`a storm with real machines leaves nothing behind, stops no VM and loses no file (seed ${seed})`, async (test) => {
  await using home = await createMachineHome();
  const storm = new Storm(realMachinesIn(home), {
    seed,
    vms: 2,
    users: 2,
    isOver: ({ operations, daemons, elapsedMs }) => (operations >= 30 && daemons >= 4) || elapsedMs > 120_000,
    size: { memoryMiB: 256, vcpus: 1 },
    lifeMs: { from: 1500, to: 12_000 },
    boundMs: 120_000,
    moreVerbs: [['mark', markVerb, 10]],
  });
  const { operations, daemons, outcomes, problems } = await storm.rage();
  test.diagnostic(`${operations} operations, ${daemons} daemons: ${JSON.stringify(outcomes)}`);
  assert.deepEqual(problems, [], `again with: npm run storm -- --seed ${seed}`);
  assert.ok(operations >= 20 && daemons >= 3, 'it was a storm');
});
