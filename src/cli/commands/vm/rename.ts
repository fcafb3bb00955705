import { buildCommand } from '@stricli/core';
import type { CliContext } from '../../context.ts';
import { followOperation } from '../../follow-operation.ts';
import { jsonFlag } from '../../parameters.ts';
import { StopSignals } from '../../stop-signals.ts';
import { vmParameter } from './vm-parameter.ts';

interface Flags {
  readonly json: boolean;
}

export const renameVmCommand = buildCommand({
  async func(this: CliContext, { json }: Flags, reference: string, name: string) {
    using client = await this.connect();
    using signals = new StopSignals();
    const { value } = await followOperation(this, () => client.vms.set(reference, { name }), { signals });
    if (json) this.output.json(value.vm);
    else this.output.line(value.vm.name);
  },
  parameters: {
    flags: { json: jsonFlag },
    positional: {
      kind: 'tuple',
      parameters: [vmParameter, { brief: 'Its new name, a DNS label', placeholder: 'name', parse: String }],
    },
  },
  docs: {
    brief: 'Give a VM another name',
    fullDescription: `Give a VM another name, also while it runs: its hostname and its name in DNS change with it. Print the new name.

  banger vm rename demo web`,
  },
});
