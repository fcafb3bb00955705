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

export const stopVmCommand = buildCommand({
  async func(this: CliContext, { timeout, json }: Flags, ...references: string[]) {
    await forSeveralVms(this, {
      references,
      json,
      begin: (client, reference) =>
        client.vms.stop(reference, timeout === undefined ? {} : { timeoutMs: timeout }),
      toJson: (outcome) => ({ outcome }),
      note: (name, outcome, result) => {
        noteKilled(this, name, result);
        if (outcome === 'already-stopped') this.output.note(`"${name}" was stopped already`);
      },
    });
  },
  parameters: {
    flags: {
      timeout: stopTimeoutFlag,
      json: jsonFlag,
    },
    positional: vmsPositional,
  },
  docs: {
    brief: 'Power VMs off; their disks stay',
    fullDescription: `Sync the disks of VMs and power them off; print the name of each. One that takes too long is killed, and that is said.

  banger vm stop demo
  banger vm stop --timeout 1m web db`,
  },
});
