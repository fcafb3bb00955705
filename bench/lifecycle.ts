import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { findProcess, waitForProcessExit } from '#host/proc.ts';
import type { BangerClient } from '#sdk/index.ts';
import type { TestHome } from '../test/support/test-home.ts';
import { BareMachine } from './bare-machine.ts';
import { findKernel, readGuestProgram, writeBareInitramfs } from './guest-programs.ts';
import { deadlineFor, rested, sample, timeOf } from './measure.ts';
import { distributionOf } from './percentiles.ts';
import { limitRow, ratioRow, type Row } from './report.ts';
import { settle } from './settle.ts';

const SIZE = { memoryMiB: 512, vcpus: 2 };
const DELETE_ALLOWANCE_MS = 50;

interface Samples {
  boot: number[];
  start: number[];
  powerOff: number[];
  stop: number[];
  remove: number[];
  delete: number[];
}

/** Start, stop and delete of a VM that is there, each beside what it cannot do without. */
export async function benchLifecycle(home: TestHome, client: BangerClient, rounds: number): Promise<Row[]> {
  const kernel = await findKernel(client);
  const initramfsPath = join(home.root, 'power-off.cpio');
  await writeBareInitramfs(initramfsPath, await readGuestProgram('power-off-init'));
  const samples: Samples = { boot: [], start: [], powerOff: [], stop: [], remove: [], delete: [] };
  for (let round = 0; round < rounds; round += 1) {
    const { id } = await (await client.vms.create({ ...SIZE, start: false })).result();
    const boot = () => bootAndPowerOff(home, { ...kernel, initramfsPath, ...SIZE });
    samples.boot.push(await rested(() => timeOf(boot)));
    samples.start.push(await rested(() => timeOf(() => start(client, id))));
    await settle(client, id);
    samples.powerOff.push(await timeOfPowerOff(client, id));
    await client.vms.wait(id, { for: 'stopped', timeoutMs: 30_000 });
    await start(client, id);
    await settle(client, id);
    samples.stop.push(await timeOf(async () => (await client.vms.stop(id)).result()));
    samples.remove.push(...(await sample(1, () => timeOfRemoval(home, id))));
    samples.delete.push(await timeOf(async () => (await client.vms.delete(id)).result()));
  }
  return rowsOf(samples);
}

function rowsOf(samples: Samples): Row[] {
  const rm = distributionOf(samples.remove);
  const deletion = {
    name: 'delete a stopped VM',
    unit: 'ms',
    floorName: 'rm of its folder',
    floor: rm,
    ours: distributionOf(samples.delete),
  } as const;
  return [
    ratioRow(
      {
        name: 'start to agent answering',
        unit: 'ms',
        floorName: 'boot to power off, bare QEMU',
        floor: distributionOf(samples.boot),
        ours: distributionOf(samples.start),
      },
      { atMost: 1.25 },
    ),
    ratioRow(
      {
        name: 'stop',
        unit: 'ms',
        floorName: 'the guest’s own power-off',
        floor: distributionOf(samples.powerOff),
        ours: distributionOf(samples.stop),
      },
      { atMost: 1.25 },
    ),
    limitRow(deletion, rm.p50 + DELETE_ALLOWANCE_MS, `<= floor + ${DELETE_ALLOWANCE_MS} ms`),
  ];
}

async function bootAndPowerOff(home: TestHome, spec: Parameters<typeof BareMachine.start>[1]): Promise<void> {
  await using machine = await BareMachine.start(home, spec);
  await machine.exited({ signal: deadlineFor('a bare boot to power off') });
}

async function start(client: BangerClient, id: string): Promise<void> {
  await (await client.vms.start(id, { signal: deadlineFor('a start') })).result();
}

/** The init is asked as the agent asks it, and nobody else has anything to do with it. */
async function timeOfPowerOff(client: BangerClient, id: string): Promise<number> {
  const { pid = 0 } = await client.vms.get(id);
  const machine = await findProcess(pid);
  if (!machine) throw new Error(`the machine of ${id} is not there`);
  const command = await client.vms.exec(id, { argv: ['kill', '-s', 'RTMIN+4', '1'] });
  command.stdout.resume();
  command.stderr.resume();
  const signal = deadlineFor('a power-off');
  return timeOf(() => waitForProcessExit(machine, { signal, maxMs: 5 }));
}

/** Of a copy of the VM's folder. */
async function timeOfRemoval(home: TestHome, id: string): Promise<number> {
  const copy = join(home.root, 'copy-of-a-vm');
  await cp(join(home.layout.vmsDir, id), copy, { recursive: true });
  return timeOf(() => rm(copy, { recursive: true }));
}
