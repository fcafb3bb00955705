import { buildCommand } from '@stricli/core';
import type { CliContext } from '../../context.ts';
import { printVms } from '../../list-vms.ts';
import { jsonFlag, onOff } from '../../parameters.ts';

interface Flags {
  readonly quiet: boolean;
  readonly json: boolean;
}

export const listVmsCommand = buildCommand({
  async func(this: CliContext, flags: Flags) {
    using client = await this.connect();
    await printVms(this, await client.vms.list(), flags);
  },
  parameters: {
    flags: {
      quiet: onOff('Print only the ids'),
      json: jsonFlag,
    },
    aliases: { q: 'quiet' },
  },
  docs: {
    brief: 'List all VMs',
    fullDescription: `List all VMs, running or not. \`banger ps\` lists those that run.

  banger vm list
  banger vm delete -f $(banger vm list -q)`,
  },
});
