import { buildCommand } from '@stricli/core';
import type { CliContext } from '../../context.ts';
import { jsonFlag } from '../../parameters.ts';
import { forSeveralVms } from '../../several-vms.ts';
import { vmsPositional } from './vm-parameter.ts';

interface Flags {
  readonly json: boolean;
}

export const startVmCommand = buildCommand({
  async func(this: CliContext, { json }: Flags, ...references: string[]) {
    await forSeveralVms(this, {
      references,
      json,
      begin: (client, reference) => client.vms.start(reference),
      toJson: (vm) => ({ vm }),
    });
  },
  parameters: { flags: { json: jsonFlag }, positional: vmsPositional },
  docs: {
    brief: 'Boot stopped VMs',
    fullDescription: `Boot VMs that are stopped, and wait until their agents answer; print the name of each.

  banger vm start demo
  banger vm start web db cache`,
  },
});
