import { createMachineHome } from '../test/support/artifacts.ts';
import { seedVms } from '../test/support/seed-vms.ts';
import { LAUNCHER, type TestHome } from '../test/support/test-home.ts';
import { interleave, timeOfProcess } from './measure.ts';
import { distributionOf } from './percentiles.ts';
import { limitRow, ratioRow, type Row } from './report.ts';

const MANY = 500;
const FEW = 5;
const START_ALLOWANCE_MS = 1000;

/** What many stopped VMs cost: listing them, and starting a daemon that has to look after them. */
export async function benchStore(rounds: number): Promise<Row[]> {
  await using none = await createMachineHome();
  await using few = await homeWith(FEW);
  await using many = await homeWith(MANY);
  return [await benchList(few, many, rounds), await benchDaemonStart(none, many, rounds)];
}

async function homeWith(count: number): Promise<TestHome> {
  const home = await createMachineHome();
  await seedVms(home.layout, count);
  return home;
}

async function benchList(few: TestHome, many: TestHome, rounds: number): Promise<Row> {
  for (const home of [few, many]) await home.succeed(['vm', 'list']);
  const list = ({ env }: TestHome) => timeOfProcess(LAUNCHER, ['vm', 'list'], env);
  const samples = await interleave(rounds * 2, { floor: () => list(few), ours: () => list(many) });
  const floor = distributionOf(samples.floor);
  const ours = distributionOf(samples.ours);
  const name = `vm list, ${MANY} VMs`;
  return ratioRow({ name, unit: 'ms', floorName: `${FEW} VMs`, floor, ours }, { atMost: 1.3 });
}

async function benchDaemonStart(none: TestHome, many: TestHome, rounds: number): Promise<Row> {
  const samples = await interleave(rounds, {
    floor: () => timeOfFirstCommand(none),
    ours: () => timeOfFirstCommand(many),
  });
  const floor = distributionOf(samples.floor);
  const ours = distributionOf(samples.ours);
  const name = `first command, daemon start, ${MANY} VMs`;
  const measured = { name, unit: 'ms', floorName: 'no VMs', floor, ours } as const;
  return limitRow(measured, floor.p50 + START_ALLOWANCE_MS, `<= floor + ${START_ALLOWANCE_MS} ms`);
}

/** A command that starts the daemon and says next to nothing. */
async function timeOfFirstCommand(home: TestHome): Promise<number> {
  await home.stopDaemon();
  return timeOfProcess(LAUNCHER, ['kernel', 'list'], home.env);
}
