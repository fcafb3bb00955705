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
    /** `boot`, `lifecycle`, `store`, `exec`, `throughput`, `images`, `image-boot`, `memory`; all without it. */
    only: { type: 'string', multiple: true, default: [] },
    strict: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);

buildGuestPrograms();
await using home = await createMachineHome();
await home.succeed(['vm', 'list']);
const rows = await benchAll();
console.log(formatRows(rows));
await writeResults(rows);
if (values.strict && rows.some(({ met }) => !met)) process.exitCode = 1;

async function benchAll(): Promise<Row[]> {
  using client = await home.client();
  await delay(IDLE_MS); // it has just started: what it is like when it has nothing to do is asked
  const idle = await daemonMemory(client);
  const results: Row[] = [];
  if (isWanted('boot')) results.push(...(await benchBoot(home, client, rounds)));
  if (isWanted('lifecycle')) results.push(...(await benchLifecycle(home, client, rounds)));
  if (isWanted('exec') || isWanted('throughput')) {
    const { id } = await (await client.vms.create({ name: 'bench', memoryMiB: 512, vcpus: 2 })).result();
    await settle(client, id);
    if (isWanted('exec')) results.push(...(await benchExec(home, client, id)));
    if (isWanted('throughput'))
      results.push(...(await benchThroughput({ home, client }, id, Math.min(rounds, 5))));
  }
  if (isWanted('store')) results.push(...(await benchStore(rounds)));
  if (isWanted('images')) results.push(...(await benchImages(home, client, Math.min(rounds, 3))));
  if (isWanted('image-boot')) results.push(await benchImageBoot(home, client, rounds));
  if (isWanted('memory')) results.push(memoryRow(idle, await daemonMemory(client)));
  return results;
}

type Part = 'boot' | 'lifecycle' | 'store' | 'exec' | 'throughput' | 'images' | 'image-boot' | 'memory';

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

async function writeResults(results: readonly Row[]): Promise<void> {
  const folder = join(REPOSITORY, 'bench/results');
  await mkdir(folder, { recursive: true });
  const name = `${new Date().toISOString().replace(/[:.]/g, '-')}.json`;
  await writeFile(
    join(folder, name),
    `${JSON.stringify({ node: process.version, rows: results }, null, 2)}\n`,
  );
}
