import type { BangerClient } from '#sdk/index.ts';
import { LAUNCHER, type TestHome } from '../test/support/test-home.ts';
import { readGuestProgram } from './guest-programs.ts';
import { deadlineFor, interleave, sample, timeOf, timeOfProcess } from './measure.ts';
import { distributionOf, type Distribution } from './percentiles.ts';
import { limitRow, ratioRow, type Row } from './report.ts';

const EXEC_OVERHEAD_MS = 5;
const WARM_UP_CALLS = 200;
const CLI_SHARE = 1.6;

/** Round trips to a guest that is up: a ping, a command, a command by the whole CLI; and the CLI by itself. */
export async function benchExec(home: TestHome, client: BangerClient, vm: string): Promise<Row[]> {
  const describe = () => client.vms.get(vm);
  // The first calls of any program are slower while both ends compile what they run.
  await sample(WARM_UP_CALLS, () => timeOf(() => client.vms.ping(vm)));
  const roundTrips = await interleave(400, {
    http: () => timeOf(describe),
    ping: () => timeOf(() => client.vms.ping(vm)),
  });
  const guestSpawn = await guestSpawnTimes(client, vm, 60);
  const exec = distributionOf(await sample(60, () => timeOf(() => runTrue(client, vm))));
  const node = () => timeOfProcess(process.execPath, ['-e', '0'], home.env);
  const cli = (...args: string[]) => timeOfProcess(LAUNCHER, args, home.env);
  await cli('version');
  const starts = await interleave(30, {
    node,
    version: () => cli('version'),
    exec: () => cli('vm', 'exec', vm, '--', 'true'),
  });
  const bareNode = distributionOf(starts.node);
  const floorOfNode = { floorName: 'node -e 0', floor: bareNode };
  return [
    limitRow(
      {
        name: 'agent ping through the daemon',
        unit: 'ms',
        floorName: 'HTTP round trip',
        floor: distributionOf(roundTrips.http),
        ours: distributionOf(roundTrips.ping),
      },
      1,
      '<= 1 ms',
    ),
    limitRow(
      {
        name: 'exec true, daemon side',
        unit: 'ms',
        floorName: 'spawn in the guest',
        floor: guestSpawn,
        ours: exec,
      },
      guestSpawn.p50 + EXEC_OVERHEAD_MS,
      `<= floor + ${EXEC_OVERHEAD_MS}`,
    ),
    limitRow(
      { name: 'vm exec -- true, whole CLI', unit: 'ms', ...floorOfNode, ours: distributionOf(starts.exec) },
      exec.p50 + CLI_SHARE * bareNode.p50,
      `<= daemon side + ${CLI_SHARE} x node`,
    ),
    ratioRow(
      { name: 'banger version', unit: 'ms', ...floorOfNode, ours: distributionOf(starts.version) },
      { atMost: 1.4 },
    ),
  ];
}

async function runTrue(client: BangerClient, vm: string): Promise<void> {
  const signal = deadlineFor('true in the guest');
  const command = await client.vms.exec(vm, { argv: ['/bin/true'] }, { signal });
  const { exitCode } = await command.wait();
  if (exitCode !== 0) throw new Error(`true ended with ${exitCode}`);
}

/** What vfork, exec and wait of /bin/true cost inside this very guest. */
async function guestSpawnTimes(client: BangerClient, vm: string, rounds: number): Promise<Distribution> {
  const signal = deadlineFor('timing spawns in the guest');
  const store = 'cat > /tmp/spawn-timer && chmod +x /tmp/spawn-timer';
  const upload = await client.vms.exec(vm, { argv: ['sh', '-c', store] }, { signal });
  upload.stdin.end(await readGuestProgram('spawn-timer'));
  await upload.wait();
  const timer = await client.vms.exec(vm, { argv: ['/tmp/spawn-timer', String(rounds)] }, { signal });
  let output = '';
  for await (const chunk of timer.stdout) output += String(chunk);
  await timer.wait();
  return distributionOf(
    output
      .trim()
      .split('\n')
      .map((line) => Number(line) / 1000),
  );
}
