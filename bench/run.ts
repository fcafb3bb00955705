import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { MiB } from '#base/sizes.ts';
import { createMachineHome } from '../test/support/artifacts.ts';
import { REPOSITORY } from '../test/support/test-home.ts';
import { benchBoot } from './boot.ts';
import { benchExec } from './exec.ts';
import { buildGuestPrograms } from './guest-programs.ts';
import { distributionOf } from './percentiles.ts';
import { formatRows, limitRow, type Row } from './report.ts';
import { benchThroughput } from './throughput.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '10' }, strict: { type: 'boolean', default: false } },
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
  const idle = (await client.host()).memoryRssBytes / MiB;
  const boot = await benchBoot(home, client, rounds);
  const { id } = await (await client.vms.create({ name: 'bench', memoryMiB: 512, vcpus: 2 })).result();
  await settle(id);
  const exec = await benchExec(home, client, id);
  const throughput = await benchThroughput(home, id, Math.min(rounds, 5));
  const after = (await client.host()).memoryRssBytes / MiB;
  const limit = 90;
  return [
    ...boot,
    ...exec,
    ...throughput,
    limitRow(
      {
        name: 'daemon memory, idle',
        unit: 'MiB',
        floorName: 'the same after this run',
        floor: distributionOf([after]),
        ours: distributionOf([idle]),
      },
      limit,
      `<= ${limit} MiB`,
    ),
  ];

  /** The guest's own init is still at work for a while; what it does is not what is measured. */
  async function settle(vm: string): Promise<void> {
    const command = await client.vms.exec(vm, { argv: ['systemctl', 'is-system-running', '--wait'] });
    await command.wait();
  }
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
