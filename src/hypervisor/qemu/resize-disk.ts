import * as z from 'zod';
import type { Abortable } from '#base/abort.ts';
import { UserError } from '#contract/errors.ts';
import type { DiskSize } from '../hypervisor.ts';
import { QmpCommandError, type QmpClient } from './qmp.ts';

const DEVICES = '/machine/peripheral-anon';

const devicesSchema = z.array(z.object({ name: z.string(), type: z.string() }));
const nodesSchema = z.array(
  z.object({ 'node-name': z.string(), image: z.object({ 'virtual-size': z.number().int() }) }),
);

/** @throws UserError `INVALID_ARGUMENT`, `DISK_TOO_SMALL`, `DISK_TOO_LARGE` */
export async function resizeDisk(client: QmpClient, disk: DiskSize, options: Abortable): Promise<void> {
  const node = await findNode(client, disk.serial, options);
  if (node === undefined)
    throw cannotResize('INVALID_ARGUMENT', disk, 'the machine has no disk with this serial');
  const sizeBytes = await sizeOf(client, node, options);
  if (disk.sizeBytes === sizeBytes) return;
  // QEMU itself would cut the disk off.
  if (disk.sizeBytes < sizeBytes) throw cannotResize('DISK_TOO_SMALL', disk, `it has ${sizeBytes}`);
  try {
    await client.execute('block_resize', { 'node-name': node, size: disk.sizeBytes }, options);
  } catch (error) {
    if (!(error instanceof QmpCommandError)) throw error;
    throw cannotResize('DISK_TOO_LARGE', disk, error.message, error);
  }
}

/** QEMU names what a device shows to the guest only in its object model. */
async function findNode(client: QmpClient, serial: string, options: Abortable): Promise<string | undefined> {
  const get = (device: string, property: string) =>
    client.execute('qom-get', { path: `${DEVICES}/${device}`, property }, options);
  for (const { name, type } of devicesSchema.parse(
    await client.execute('qom-list', { path: DEVICES }, options),
  )) {
    // oxlint-disable-next-line no-await-in-loop -- a handful, over one connection
    if (!type.startsWith('child<virtio-blk') || (await get(name, 'serial')) !== serial) continue;
    // oxlint-disable-next-line no-await-in-loop
    return z.string().parse(await get(name, 'drive'));
  }
  return undefined;
}

async function sizeOf(client: QmpClient, node: string, options: Abortable): Promise<number> {
  const nodes = nodesSchema.parse(await client.execute('query-named-block-nodes', { flat: true }, options));
  const found = nodes.find((candidate) => candidate['node-name'] === node);
  if (!found) throw new Error(`QEMU has no block node ${node}`);
  return found.image['virtual-size'];
}

function cannotResize(
  code: 'INVALID_ARGUMENT' | 'DISK_TOO_SMALL' | 'DISK_TOO_LARGE',
  { serial, sizeBytes }: DiskSize,
  condition: string,
  cause?: unknown,
): UserError {
  return new UserError(code, `Cannot give disk "${serial}" ${sizeBytes} bytes: ${condition}`, { cause });
}
