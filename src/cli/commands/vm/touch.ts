import { buildCommand } from '@stricli/core';
import { askSeveralVms } from '../../ask-several-vms.ts';
import type { CliContext } from '../../context.ts';
import { jsonFlag } from '../../parameters.ts';
import { vmsPositional } from './vm-parameter.ts';

interface Flags {
  readonly json: boolean;
}

export const touchVmCommand = buildCommand({
  async func(this: CliContext, { json }: Flags, ...references: string[]) {
    using client = await this.connect();
    const { answers, failures } = await askSeveralVms(this, client, {
      references,
      json,
      ask: ({ reference }) => client.vms.touch(reference),
    });
    const vms = answers.map(({ value }) => value);
    if (json) this.output.json([...vms, ...failures]);
    else for (const { name } of vms) this.output.line(name);
  },
  parameters: { flags: { json: jsonFlag }, positional: vmsPositional },
  docs: {
    brief: 'Say that VMs are in use',
    fullDescription: `Note that VMs are in use, so that they are not stopped as stale (\`auto_stop_stale_after\`, \`--auto-stop\`); print the name of each.
Whatever runs a command in a VM, starts it or connects to it says so too.

  banger vm touch demo`,
  },
});
