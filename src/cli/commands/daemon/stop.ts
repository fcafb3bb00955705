import { buildCommand } from '@stricli/core';
import type { CliContext } from '../../context.ts';
import { jsonFlag } from '../../parameters.ts';
import { stopDaemon } from '../../stop-daemon.ts';

interface Flags {
  readonly json: boolean;
}

export const stopDaemonCommand = buildCommand({
  async func(this: CliContext, { json }: Flags) {
    const stopped = await stopDaemon(this);
    if (json) this.output.json({ stopped });
    else this.output.line(stopped ? 'the daemon has stopped; VMs run on' : 'the daemon does not run');
  },
  parameters: { flags: { json: jsonFlag } },
  docs: {
    brief: 'Stop the daemon; VMs run on',
    fullDescription: `Stop the daemon and wait until it has ended. VMs run on, and the next daemon takes them over.

  banger daemon stop`,
  },
});
