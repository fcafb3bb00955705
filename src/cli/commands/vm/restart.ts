import { buildCommand } from '@stricli/core';
import type { CliContext } from '../../context.ts';
import { jsonFlag } from '../../parameters.ts';
import { forSeveralVms } from '../../several-vms.ts';
import { noteKilled } from './note-killed.ts';
import { stopTimeoutFlag } from './stop-timeout.ts';
import { vmsPositional } from './vm-parameter.ts';

interface Flags {
  readonly timeout?: number;
  readonly json: boolean;
}

export const restartVmCommand = buildCommand({
  async func(this: CliContext, { timeout, json }: Flags, ...references: string[]) {
    await forSeveralVms(this, {
      references,
      json,
      begin: (client, reference) =>
        client.vms.restart(reference, timeout === undefined ? {} : { timeoutMs: timeout }),
      toJson: ({ vm, stop }) => ({ vm, outcome: stop }),
      note: (name, _, result) => noteKilled(this, name, result),
    });
  },
  parameters: { flags: { timeout: stopTimeoutFlag, json: jsonFlag }, positional: vmsPositional },
  docs: {
    brief: 'Power VMs off and boot them again',
    fullDescription: `Sync the disks of VMs, power them off and boot them again; print the name of each when its agent answers. One that does not run is booted; one that takes too
long to power off is killed first, and that is said.
What \`banger vm set\` left for the next start takes effect.

  banger vm restart demo
  banger vm restart --timeout 1m web db`,
  },
});
