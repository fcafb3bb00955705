import { buildCommand } from '@stricli/core';
import type { CliContext } from '../../context.ts';
import { jsonFlag } from '../../parameters.ts';
import { kernelParameter } from './kernel-parameter.ts';

interface Flags {
  readonly json: boolean;
}

async function defaultKernel(this: CliContext, { json }: Flags, reference?: string): Promise<void> {
  using client = await this.connect();
  const kernel =
    reference === undefined
      ? (await client.kernels.list()).find(({ isDefault }) => isDefault)
      : await client.kernels.setDefault(reference);
  if (json) this.output.json(kernel ?? null);
  else if (kernel) this.output.line(kernel.name);
  else this.output.note('none yet: the first VM fetches it');
}

export const defaultKernelCommand = buildCommand({
  func: defaultKernel,
  parameters: {
    flags: { json: jsonFlag },
    positional: { kind: 'tuple', parameters: [{ ...kernelParameter, optional: true }] },
  },
  docs: {
    brief: 'Show or choose the kernel that new VMs boot',
    fullDescription: `Print the name of the kernel that new VMs boot, or choose another. VMs that are there keep theirs. Without a choice it is the newest
that was pulled as debian-bookworm.

  banger kernel default
  banger kernel default debian-trixie`,
  },
});
