import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { FakeHypervisor } from '#hypervisor/fake/fake-hypervisor.ts';
import { FakeDaemonHome } from '../../support/fake-daemon.ts';
import { Storm, type StormPlace } from '../../support/storm/storm.ts';

/** One of one's own, to see again what failed: BANGER_STORM_SEED=123. */
const OWN_SEED = process.env['BANGER_STORM_SEED'];
const SEEDS = OWN_SEED === undefined ? [1, 77, Date.now() % 1_000_000] : [Number(OWN_SEED)];

describe('a storm of operations while the daemon is killed again and again', () => {
  for (const seed of SEEDS) {
    it(`leaves nothing behind, stops no VM and lies in no row (seed ${seed})`, (test) => rage(test, seed));
  }
});

async function rage(test: TestContext, seed: number): Promise<void> {
  await using home = await FakeDaemonHome.create();
  const storm = new Storm(placeIn(home), {
    seed,
    vms: 6,
    users: 3,
    isOver: ({ operations, daemons, elapsedMs }) => (operations >= 200 && daemons >= 4) || elapsedMs > 60_000,
    size: { memoryMiB: 256, vcpus: 2 },
    lifeMs: { from: 200, to: 2000 },
    boundMs: 45_000,
    ...(OWN_SEED !== undefined && { print: (line) => test.diagnostic(line) }),
  });
  const { operations, daemons, outcomes, problems } = await storm.rage();
  test.diagnostic(`${operations} operations, ${daemons} daemons: ${JSON.stringify(outcomes)}`);
  const again = `again with: BANGER_STORM_SEED=${seed}`;
  assert.deepEqual(problems, [], again);
  assert.ok(operations > 50 && daemons > 2, 'it was a storm');
  const succeeded = Object.keys(outcomes).filter((outcome) => outcome.endsWith(': ok'));
  assert.ok(succeeded.length >= 8, `few verbs succeeded: ${succeeded.join(', ')}`);
}

function placeIn(home: FakeDaemonHome): StormPlace {
  const hypervisor = new FakeHypervisor({ machineProgram: 'none' });
  return {
    start: () => home.start(),
    killDaemon: () => home.killDaemon(),
    daemonGone: () => home.daemonGone(),
    listMachines: () => hypervisor.listMachines(join(home.layout.runtimeDir, 'vm')),
  };
}
