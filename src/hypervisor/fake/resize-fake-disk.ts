import { stat, truncate } from 'node:fs/promises';
import * as z from 'zod';
import type { Abortable } from '#base/abort.ts';
import { UserError } from '#contract/errors.ts';
import { runCommand } from '#host/run-command.ts';
import type { DiskSize, MachineDisk } from '../hypervisor.ts';

type FakeDisk = Pick<MachineDisk, 'serial' | 'path' | 'format'>;

const infoSchema = z.object({ 'virtual-size': z.number().int() });

/** Nobody has the image open, so it is changed from outside. @throws UserError `INVALID_ARGUMENT`, `DISK_TOO_SMALL` */
export async function resizeFakeDisk(
  disks: readonly FakeDisk[],
  { serial, sizeBytes }: DiskSize,
  options: Abortable,
): Promise<void> {
  const disk = disks.find((candidate) => candidate.serial === serial);
  if (!disk) throw new UserError('INVALID_ARGUMENT', `Cannot resize disk "${serial}": there is none`);
  const before = await sizeOf(disk, options);
  if (before === sizeBytes) return;
  if (before > sizeBytes)
    throw new UserError('DISK_TOO_SMALL', `Cannot resize disk "${serial}": it has ${before}`);
  if (disk.format === 'raw') await truncate(disk.path, sizeBytes);
  else await runCommand('qemu-img', ['resize', '-q', '-f', 'qcow2', disk.path, String(sizeBytes)], options);
}

async function sizeOf({ path, format }: FakeDisk, options: Abortable): Promise<number> {
  if (format === 'raw') return (await stat(path)).size;
  const { stdout } = await runCommand('qemu-img', ['info', '--output=json', '-f', 'qcow2', path], options);
  return infoSchema.parse(JSON.parse(stdout))['virtual-size'];
}
