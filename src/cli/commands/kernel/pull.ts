import { buildCommand } from '@stricli/core';
import type { CliContext } from '../../context.ts';
import { jsonFlag, onOff } from '../../parameters.ts';
import { parseKernelReference, proposeNames } from './kernel-parameter.ts';
import { makeKernel } from './make-kernel.ts';

interface Flags {
  readonly force: boolean;
  readonly json: boolean;
}

export const pullKernelCommand = buildCommand({
  async func(this: CliContext, { force, json }: Flags, name: string) {
    await makeKernel(this, { json }, (client) => client.kernels.pull(name, { force }));
  },
  parameters: {
    flags: { force: onOff('Ask for a newer one, and make it anew in any case'), json: jsonFlag },
    aliases: { f: 'force' },
    positional: {
      kind: 'tuple',
      parameters: [
        {
          brief: 'Its name in the catalog',
          placeholder: 'name',
          parse: parseKernelReference,
          async proposeCompletions(this: CliContext): Promise<readonly string[]> {
            return proposeNames(this, (client, signal) => client.kernels.listAvailable({ signal }));
          },
        },
      ],
    },
  },
  docs: {
    brief: 'Fetch a kernel of the catalog',
    fullDescription: `Fetch a kernel of the catalog from its distribution's signed archive; print its name. One that is here already is the answer,
unless \`--force\` is given: then the archive is asked for a newer one. VMs keep the kernel that they were made with.

  banger kernel pull debian-trixie
  banger kernel pull --force debian-bookworm`,
  },
});
