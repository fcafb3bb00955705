import { join } from 'node:path';
import type { BangerClient } from '#sdk/index.ts';
import { LAUNCHER, type TestHome } from '../test/support/test-home.ts';
import { BareMachine, type BareMachineSpec } from './bare-machine.ts';
import { findKernel, readGuestProgram, writeBareInitramfs } from './guest-programs.ts';
import { deadlineFor, interleave, rested, timeOf, timeOfProcess } from './measure.ts';
import { distributionOf } from './percentiles.ts';
import { ratioRow, type Row } from './report.ts';

const SIZE = { memoryMiB: 512, vcpus: 2 };

/** From nothing to an answering agent, and a whole `vm run`, beside a machine that boots only to power off. */
export async function benchBoot(home: TestHome, client: BangerClient, rounds: number): Promise<Row[]> {
  const kernel = await findKernel(client);
  const initramfsPath = join(home.root, 'power-off.cpio');
  await writeBareInitramfs(initramfsPath, await readGuestProgram('power-off-init'));
  const spec = { ...kernel, initramfsPath, ...SIZE };
  const samples = await interleave(rounds, {
    floor: () => rested(() => timeOf(() => bootAndPowerOff(home, spec))),
    smallFloor: () => rested(() => timeOf(() => bootAndPowerOff(home, { ...spec, smallPages: true }))),
    create: () => rested(() => timeOfCreate(client)),
    run: () => rested(() => timeOfRun(home)),
  });
  const floor = distributionOf(samples.floor);
  const floorName = 'boot to power off, bare QEMU';
  const create = {
    name: 'create to agent answering',
    unit: 'ms',
    ours: distributionOf(samples.create),
  } as const;
  return [
    ratioRow({ ...create, floorName, floor }, { atMost: 1.25 }),
    ratioRow(
      { ...create, floorName: 'the same with small pages', floor: distributionOf(samples.smallFloor) },
      { atMost: 1.25 },
    ),
    ratioRow(
      { name: 'vm run --rm -- true', unit: 'ms', floorName, floor, ours: distributionOf(samples.run) },
      { atMost: 1.6 },
    ),
  ];
}

/** What no boot can do without. */
export async function bootAndPowerOff(home: TestHome, spec: BareMachineSpec): Promise<void> {
  await using machine = await BareMachine.start(home, spec);
  await machine.exited({ signal: deadlineFor('a bare boot to power off') });
}

async function timeOfCreate(client: BangerClient): Promise<number> {
  let id = '';
  const elapsed = await timeOf(async () => {
    const signal = deadlineFor('a VM from create to running');
    id = (await (await client.vms.create({ ...SIZE }, { signal })).result()).id;
  });
  await (await client.vms.delete(id, { force: true })).result();
  return elapsed;
}

function timeOfRun(home: TestHome): Promise<number> {
  const size = ['--memory', `${SIZE.memoryMiB}M`, '--vcpu', String(SIZE.vcpus)];
  return timeOfProcess(LAUNCHER, ['vm', 'run', '--rm', ...size, '--', 'true'], home.env);
}
