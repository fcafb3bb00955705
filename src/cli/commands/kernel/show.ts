import { buildCommand } from '@stricli/core';
import { formatSize } from '#base/sizes.ts';
import type { KernelDetails } from '#contract/owner/kernel.ts';
import type { CliContext } from '../../context.ts';
import { formatFields, type Field } from '../../output/fields.ts';
import { jsonFlag } from '../../parameters.ts';
import { kernelParameter } from './kernel-parameter.ts';

interface Flags {
  readonly json: boolean;
}

function fieldsOf(kernel: KernelDetails): readonly Field[] {
  return [
    ['id', kernel.id],
    ['name', kernel.name],
    ['release', kernel.release],
    ['architecture', kernel.architecture],
    ['source', kernel.source],
    ['catalog', kernel.recipe],
    ['default', kernel.isDefault ? 'yes' : 'no'],
    ['timer', kernel.timerHz === undefined ? undefined : `${kernel.timerHz} Hz`],
    ['on disk', formatSize(kernel.allocatedBytes)],
    ['folder', kernel.folder],
    ['starts unpacked', kernel.hasUncompressed ? 'yes' : 'no'],
    ['modules at boot', kernel.bootModules.join(', ') || 'none'],
    ['used by', kernel.usedBy.map(({ name }) => name).join(', ') || 'no VM'],
    ['created', kernel.createdAt],
  ];
}

export const showKernelCommand = buildCommand({
  async func(this: CliContext, { json }: Flags, reference: string) {
    using client = await this.connect();
    const kernel = await client.kernels.get(reference);
    if (json) this.output.json(kernel);
    else this.output.text(formatFields(fieldsOf(kernel), this.output.style));
  },
  parameters: {
    flags: { json: jsonFlag },
    positional: { kind: 'tuple', parameters: [kernelParameter] },
  },
  docs: {
    brief: 'Show everything about a kernel',
    fullDescription: `Show everything about a kernel, with the VMs that have it.

  banger kernel show debian-bookworm`,
  },
});
