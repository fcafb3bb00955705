import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createMachineHome } from './artifacts.ts';

/** A kernel for suites that boot machines without the daemon: BANGER_TEST_KERNEL, or the one that all machine suites share. */
export async function withMachineKernel<T>(use: (kernelPath: string) => Promise<T>): Promise<T> {
  const given = process.env['BANGER_TEST_KERNEL'];
  if (given !== undefined) return use(given);
  await using home = await createMachineHome();
  const [id] = await readdir(home.layout.kernelsDir);
  if (id === undefined) throw new Error('the shared machine artifacts hold no kernel');
  return use(join(home.layout.kernelsDir, id, 'vmlinuz'));
}
