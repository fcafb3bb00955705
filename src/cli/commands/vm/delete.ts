import { buildCommand } from '@stricli/core';
import type { CliContext } from '../../context.ts';
import { jsonFlag, onOff } from '../../parameters.ts';
import { forSeveralVms } from '../../several-vms.ts';
import { vmsPositional } from './vm-parameter.ts';

interface Flags {
  readonly force: boolean;
  readonly json: boolean;
}

export const deleteVmCommand = buildCommand({
  async func(this: CliContext, { force, json }: Flags, ...references: string[]) {
    await forSeveralVms(this, {
      references,
      json,
      begin: (client, reference) => client.vms.delete(reference, { force }),
      toJson: () => ({ deleted: true }),
    });
  },
  parameters: {
    flags: {
      force: onOff('Also those that run: kill them first'),
      json: jsonFlag,
    },
    aliases: { f: 'force' },
    positional: vmsPositional,
  },
  docs: {
    brief: 'Remove VMs with their disks, for good',
    fullDescription: `Remove VMs with their disks, for good; print the name of each. One that runs is refused without \`--force\`.

  banger vm delete demo
  banger vm delete -f web db`,
  },
});
