import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { delay } from '#base/backoff.ts';
import { MiB } from '#base/sizes.ts';
import type { BangerClient } from '#sdk/index.ts';
import { createMachineHome } from '../test/support/artifacts.ts';
import { REPOSITORY } from '../test/support/test-home.ts';
import { benchBoot } from './boot.ts';
import { benchExec } from './exec.ts';
import { buildGuestPrograms } from './guest-programs.ts';
import { benchImageBoot } from './image-boot.ts';
import { benchImages } from './images.ts';
import { benchLauncher } from './launcher.ts';
import { benchLifecycle } from './lifecycle.ts';
import { distributionOf } from './percentiles.ts';
import { formatRows, limitRow, type Row } from './report.ts';
import { settle } from './settle.ts';
import { benchStore } from './store.ts';
import { benchThroughput } from './throughput.ts';

/** After this the daemon has given back what its start left. */
const IDLE_MS = 10_000;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '10' },
    /** `boot`, `lifecycle`, `launcher`, `store`, `exec`, `throughput`, `images`, `image-boot`, `memory`; all without it. */
    only: { type: 'string', multiple: true, default: [] },
    strict: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);
const LAUNCHER_ROUNDS = 40;

const rows: Row[] = [];
const resultsPath = await makeResultsPath();
buildGuestPrograms();
await using home = await createMachineHome();
await home.succeed(['vm', 'list']);
try {
  await benchAll();
} finally {
  if (rows.length > 0) console.log(formatRows(rows));
}
if (values.strict && rows.some(({ met }) => !met)) process.exitCode = 1;

async function benchAll(): Promise<void> {
  using client = await home.client();
  await delay(IDLE_MS); // it has just started: what it is like when it has nothing to do is asked
  const idle = await daemonMemory(client);
  if (isWanted('boot')) await keep(await benchBoot(home, client, rounds));
  if (isWanted('lifecycle')) await keep(await benchLifecycle(home, client, rounds));
  if (isWanted('launcher')) await keep([await benchLauncher(home, LAUNCHER_ROUNDS)]);
  if (isWanted('exec') || isWanted('throughput')) {
    const { id } = await (await client.vms.create({ name: 'bench', memoryMiB: 512, vcpus: 2 })).result();
    await settle(client, id);
    if (isWanted('exec')) await keep(await benchExec(home, client, id));
    if (isWanted('throughput')) await keep(await benchThroughput({ home, client }, id, Math.min(rounds, 5)));
  }
  if (isWanted('store')) await keep(await benchStore(rounds));
  if (isWanted('images')) await keep(await benchImages(home, client, Math.min(rounds, 3)));
  if (isWanted('image-boot')) await keep([await benchImageBoot(home, client, rounds)]);
  if (isWanted('memory')) await keep([memoryRow(idle, await daemonMemory(client))]);
}

type Part =
  'boot' | 'lifecycle' | 'launcher' | 'store' | 'exec' | 'throughput' | 'images' | 'image-boot' | 'memory';

function isWanted(part: Part): boolean {
  return values.only.length === 0 || values.only.includes(part);
}

async function daemonMemory(client: BangerClient): Promise<number> {
  return (await client.host()).memoryRssBytes / MiB;
}

function memoryRow(idle: number, after: number): Row {
  const limit = 90;
  const floor = { floorName: 'the same after this run', floor: distributionOf([after]) };
  const measured = {
    name: 'daemon memory, idle',
    unit: 'MiB',
    ...floor,
    ours: distributionOf([idle]),
  } as const;
  return limitRow(measured, limit, `<= ${limit} MiB`);
}

/** Written after each part, so that a later one that fails takes nothing away. */
async function keep(measured: readonly Row[]): Promise<void> {
  rows.push(...measured);
  await writeFile(resultsPath, `${JSON.stringify({ node: process.version, rows }, null, 2)}\n`);
}

async function makeResultsPath(): Promise<string> {
  const folder = join(REPOSITORY, 'bench/results');
  await mkdir(folder, { recursive: true });
  return join(folder, `${new Date().toISOString().replace(/[:.]/g, '-')}.json`);
}
