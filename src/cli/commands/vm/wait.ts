import { buildCommand } from '@stricli/core';
import type { WaitCondition } from '#contract/owner/vm.ts';
import type { CliContext } from '../../context.ts';
import { jsonFlag, parseTimeout } from '../../parameters.ts';
import { vmPositional } from './vm-parameter.ts';

interface Flags {
  readonly for: WaitCondition;
  readonly timeout?: number;
  readonly json: boolean;
}

export const waitVmCommand = buildCommand({
  async func(this: CliContext, flags: Flags, reference: string) {
    using client = await this.connect();
    const vm = await client.vms.wait(reference, {
      for: flags.for,
      ...(flags.timeout === undefined ? {} : { timeoutMs: flags.timeout }),
    });
    if (flags.json) this.output.json(vm);
    else this.output.line(vm.name);
  },
  parameters: {
    flags: {
      for: {
        kind: 'enum',
        values: ['running', 'stopped', 'agent'],
        brief: 'What to wait for',
        default: 'stopped',
      },
      timeout: {
        kind: 'parsed',
        parse: parseTimeout,
        brief: 'Give up after this: 30s, 2m',
        placeholder: 'time',
        optional: true,
      },
      json: jsonFlag,
    },
    positional: vmPositional,
  },
  docs: {
    brief: 'Wait until a VM is in a state',
    fullDescription: `Wait until a VM runs, has stopped, or its agent answers; print its name. Exit status 3 when the time is over.

  banger vm wait demo
  banger vm wait --for agent --timeout 1m demo && banger vm exec demo -- true`,
  },
});
