import { buildCommand } from '@stricli/core';
import type { VmState } from '#contract/owner/vm.ts';
import type { CliContext } from '../context.ts';
import { printVms } from '../list-vms.ts';
import { jsonFlag, onOff } from '../parameters.ts';

interface Flags {
  readonly all: boolean;
  readonly quiet: boolean;
  readonly json: boolean;
}

const ACTIVE: readonly VmState[] = ['creating', 'starting', 'running', 'stopping'];

export const psCommand = buildCommand({
  async func(this: CliContext, flags: Flags) {
    using client = await this.connect();
    const vms = await client.vms.list();
    await printVms(this, flags.all ? vms : vms.filter((vm) => ACTIVE.includes(vm.state)), flags);
  },
  parameters: {
    flags: {
      all: onOff('Also those that do not run'),
      quiet: onOff('Print only the ids'),
      json: jsonFlag,
    },
    aliases: { a: 'all', q: 'quiet' },
  },
  docs: {
    brief: 'List the VMs that run',
    fullDescription: `List the VMs that run, start or stop. \`banger vm list\` lists all.

  banger ps
  banger vm stop $(banger ps -q)`,
  },
});
