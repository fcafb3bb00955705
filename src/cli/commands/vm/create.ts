import { buildCommand } from '@stricli/core';
import type { CliContext } from '../../context.ts';
import { createVm } from '../../create-vm.ts';
import { formatElapsed } from '../../elapsed.ts';
import { jsonFlag, onOff } from '../../parameters.ts';
import { StopSignals } from '../../stop-signals.ts';
import { createFlags, toCommand, toCreateRequest, type CreateFlags } from './create-flags.ts';
import { runAliases } from './run-flags.ts';

interface Flags extends CreateFlags {
  readonly noStart: boolean;
  readonly json: boolean;
}

export const createVmCommand = buildCommand({
  async func(this: CliContext, flags: Flags) {
    const request = {
      ...(await toCreateRequest(flags, this.env)),
      ...toCommand(this.command, 'banger vm create'),
      start: !flags.noStart,
    };
    using client = await this.connect();
    using signals = new StopSignals();
    const { value: vm, elapsedMs } = await createVm(this, { client, signals, request });
    this.output.note(
      this.output.noteStyle.dim(
        `${vm.state === 'running' ? 'ready' : 'made'} in ${formatElapsed(elapsedMs)}`,
      ),
    );
    if (flags.json) this.output.json(vm);
    else this.output.line(vm.name);
  },
  parameters: {
    flags: {
      ...createFlags,
      noStart: onOff('Make it, but leave it off'),
      json: jsonFlag,
    },
    aliases: runAliases,
  },
  docs: {
    brief: 'Make a VM and boot it',
    customUsage: ['[flags]', '[flags] -- <command> [argument]...'],
    fullDescription: `Make a VM and boot it; print its name when it is ready. It stays until \`banger vm delete\`,
also when its guest never answers.

Where its image names a command, or words after \`--\` replace it, that runs as the service of the VM: it is started at each boot, and
again as \`--restart\` says. \`banger vm show\` shows how it is, \`banger vm logs\` what it writes.

  banger vm create --name demo --memory 2G --disk-size 20G
  banger vm exec -it demo
  banger vm create --name web --image nginx -P`,
  },
});
