// usage: npm run storm [-- --minutes N --seed S --vms N --users N]
//
// The storm of test/integration/storm, with real machines: users who do things at random while the daemon is killed again and
// again. Prints what it does; ends with 1 and the problems when something was lost, left or a lie.
import { parseArgs } from 'node:util';
import { createMachineHome } from '../support/artifacts.ts';
import { markVerb } from '../support/storm/mark-verb.ts';
import { realMachinesIn } from '../support/storm/real-machines.ts';
import { Storm } from '../support/storm/storm.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: process.env['BANGER_STORM_SEED'] ?? String(Date.now() % 1_000_000) },
    /** At once; 256 MiB each. */
    vms: { type: 'string', default: '3' },
    users: { type: 'string', default: '2' },
  },
});
const seed = Number(values.seed);
const endMs = Number(values.minutes) * 60_000;

await using home = await createMachineHome();
console.log(`seed ${seed}, ${values.minutes} minutes`);
const { operations, daemons, outcomes, problems } = await new Storm(realMachinesIn(home), {
  seed,
  vms: Number(values.vms),
  users: Number(values.users),
  isOver: ({ elapsedMs }) => elapsedMs > endMs,
  size: { memoryMiB: 256, vcpus: 2 },
  lifeMs: { from: 2000, to: 30_000 },
  boundMs: 180_000,
  moreVerbs: [['mark', markVerb, 10]],
  print: (line) => console.log(line),
}).rage();
console.log(`${operations} operations, ${daemons} daemons`);
for (const outcome of Object.keys(outcomes).toSorted()) console.log(`  ${outcomes[outcome]} x ${outcome}`);
for (const problem of problems) console.log(`PROBLEM ${problem}`);
if (problems.length > 0) {
  console.log(`again with: npm run storm -- --seed ${seed} --minutes ${values.minutes}`);
  process.exitCode = 1;
}
