import * as z from 'zod';
import type { Abortable } from '#base/abort.ts';
import type { MachineStatus } from '../hypervisor.ts';
import type { QmpClient } from './qmp.ts';

const statusSchema = z.object({ running: z.boolean() });

export async function queryStatus(
  client: QmpClient,
  options: Abortable = {},
): Promise<Exclude<MachineStatus, 'gone'>> {
  const { running } = statusSchema.parse(await client.execute('query-status', {}, options));
  return running ? 'running' : 'paused';
}
