import type { BangerClient } from '#sdk/index.ts';
import { LAUNCHER, type TestHome } from '../test/support/test-home.ts';
import { GuestSpawns } from './guest-spawns.ts';
import { deadlineFor, interleave, sample, timeOf, timeOfProcess } from './measure.ts';
import { distributionOf } from './percentiles.ts';
import { limitRow, ratioRow, type Row } from './report.ts';

const EXEC_OVERHEAD_MS = 5;
const WARM_UP_CALLS = 200;
const CLI_SHARE = 1.6;

/** Round trips to a guest that is up: a ping, a command, a command by the whole CLI; and the CLI by itself. */
export async function benchExec(home: TestHome, client: BangerClient, vm: string): Promise<Row[]> {
  const pings = await pingRow(client, vm);
  const exec = () => timeOf(() => runTrue(client, vm));
  const spawns = await GuestSpawns.start(client, vm);
  const commands = await interleave(200, { spawn: () => spawns.time(), exec });
  const guestSpawn = distributionOf(commands.spawn);
  const node = () => timeOfProcess(process.execPath, ['-e', '0'], home.env);
  const cli = (...args: string[]) => timeOfProcess(LAUNCHER, args, home.env);
  await cli('version');
  const starts = await interleave(40, {
    node,
    version: () => cli('version'),
    exec,
    execByCli: () => cli('vm', 'exec', vm, '--', 'true'),
  });
  const bareNode = distributionOf(starts.node);
  const floorOfNode = { floorName: 'node -e 0', floor: bareNode };
  return [
    pings,
    limitRow(
      {
        name: 'exec true, daemon side',
        unit: 'ms',
        floorName: 'spawn in the guest',
        floor: guestSpawn,
        ours: distributionOf(commands.exec),
      },
      guestSpawn.p50 + EXEC_OVERHEAD_MS,
      `<= floor + ${EXEC_OVERHEAD_MS}`,
    ),
    limitRow(
      {
        name: 'vm exec -- true, whole CLI',
        unit: 'ms',
        ...floorOfNode,
        ours: distributionOf(starts.execByCli),
      },
      distributionOf(starts.exec).p50 + CLI_SHARE * bareNode.p50,
      `<= daemon side + ${CLI_SHARE} x node`,
    ),
    ratioRow(
      { name: 'banger version', unit: 'ms', ...floorOfNode, ours: distributionOf(starts.version) },
      { atMost: 1.4 },
    ),
  ];
}

async function pingRow(client: BangerClient, vm: string): Promise<Row> {
  const ping = () => timeOf(() => client.vms.ping(vm));
  // The first calls of any program are slower while both ends compile what they run.
  await sample(WARM_UP_CALLS, ping);
  const roundTrips = await interleave(400, { http: () => timeOf(() => client.vms.get(vm)), ping });
  return limitRow(
    {
      name: 'agent ping through the daemon',
      unit: 'ms',
      floorName: 'HTTP round trip',
      floor: distributionOf(roundTrips.http),
      ours: distributionOf(roundTrips.ping),
    },
    1,
    '<= 1 ms',
  );
}

async function runTrue(client: BangerClient, vm: string): Promise<void> {
  const signal = deadlineFor('true in the guest');
  const command = await client.vms.exec(vm, { argv: ['/bin/true'] }, { signal });
  const { exitCode } = await command.wait();
  if (exitCode !== 0) throw new Error(`true ended with ${exitCode}`);
}
