import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram } from '#host/find-program.ts';
import { runCommand } from '#host/run-command.ts';
import type { BangerClient } from '#sdk/index.ts';
import type { TestHome } from '../test/support/test-home.ts';
import { bootAndPowerOff } from './boot.ts';
import { findKernel, readGuestProgram, writeBareInitramfs } from './guest-programs.ts';
import { deadlineFor, interleave, rested, timeOf } from './measure.ts';
import { distributionOf } from './percentiles.ts';
import { ratioRow, type Row } from './report.ts';

const SIZE = { memoryMiB: 512, vcpus: 2 };
const IMAGE = 'busybox-only';
/** Alpine's, those that a boot looks for. */
const FOLDERS = ['bin', 'dev', 'etc', 'lib', 'proc', 'root', 'run', 'sbin', 'sys', 'tmp', 'usr', 'var'];

/** From nothing to the end of the first command, in an image as small as Alpine's and without an init. */
export async function benchImageBoot(home: TestHome, client: BangerClient, rounds: number): Promise<Row> {
  await importBusybox(home, client);
  const kernel = await findKernel(client);
  const initramfsPath = join(home.root, 'power-off.cpio');
  await writeBareInitramfs(initramfsPath, await readGuestProgram('power-off-init'));
  const spec = { ...kernel, initramfsPath, ...SIZE };
  const samples = await interleave(rounds, {
    floor: () => rested(() => timeOf(() => bootAndPowerOff(home, spec))),
    ours: () => rested(() => timeOfFirstCommand(client)),
  });
  const measured = {
    name: 'create to the first command done, image without init',
    unit: 'ms',
    floorName: 'boot to power off, bare QEMU',
    floor: distributionOf(samples.floor),
    ours: distributionOf(samples.ours),
  } as const;
  return ratioRow(measured, { atMost: 1.15 });
}

async function importBusybox(home: TestHome, client: BangerClient): Promise<void> {
  const program = await findProgram('busybox', process.env['PATH'] ?? '');
  if (program === undefined) throw new Error('no busybox here: apt-get install busybox-static');
  const folder = join(home.root, IMAGE);
  for (const name of FOLDERS) await mkdir(join(folder, name), { recursive: true });
  await copyFile(program, join(folder, 'bin/busybox'));
  await runCommand('chmod', ['-R', 'a+rx', folder]);
  await (await client.images.import({ path: folder, name: IMAGE })).result();
}

async function timeOfFirstCommand(client: BangerClient): Promise<number> {
  const signal = deadlineFor('a VM from create to its first command');
  let id = '';
  const elapsed = await timeOf(async () => {
    id = (await (await client.vms.create({ image: IMAGE, ...SIZE }, { signal })).result()).id;
    const command = await client.vms.exec(id, { argv: ['/bin/busybox', 'true'] }, { signal });
    command.stdout.resume();
    command.stderr.resume();
    await command.wait();
  });
  await (await client.vms.delete(id, { force: true })).result();
  return elapsed;
}
