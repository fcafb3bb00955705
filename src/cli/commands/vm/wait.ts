import { buildCommand } from '@stricli/core';
import { UserError } from '#contract/errors.ts';
import type { WaitCondition } from '#contract/owner/vm.ts';
import type { CliContext } from '../../context.ts';
import { jsonFlag, parseTimeout } from '../../parameters.ts';
import { vmPositional } from './vm-parameter.ts';

const MAX_PORT = 65_535;

interface Flags {
  readonly for: WaitCondition;
  readonly timeout?: number;
  readonly json: boolean;
}

const CONDITIONS = ['running', 'stopped', 'agent', 'systemd'] as const;

function parseCondition(text: string): WaitCondition {
  const port = /^port:([1-9]\d{0,4})$/.exec(text)?.[1];
  if (port !== undefined && Number(port) <= MAX_PORT) return `port:${Number(port)}`;
  const condition = CONDITIONS.find((known) => known === text);
  if (condition !== undefined) return condition;
  throw new UserError('USAGE', `Cannot wait for "${text}": it is no condition`, {
    hint: `give one of ${CONDITIONS.join(', ')}, or port:N such as port:8080`,
  });
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
        kind: 'parsed',
        parse: parseCondition,
        brief: 'What to wait for: running, stopped, agent, systemd, port:N',
        placeholder: 'condition',
        proposeCompletions: () => [...CONDITIONS, 'port:'],
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
    fullDescription: `Wait until a VM runs, has stopped, its agent answers, its init has started everything (systemd), or something in it listens
on a TCP port (port:N); print its name. Exit status 3 when the time is over.

  banger vm wait demo
  banger vm wait --for agent --timeout 1m demo && banger vm exec demo -- true
  banger vm wait --for port:8080 demo`,
  },
});
