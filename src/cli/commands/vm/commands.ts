import { buildCommand } from '@stricli/core';
import type { DetachedCommand } from '#contract/owner/command.ts';
import type { CliContext } from '../../context.ts';
import { formatAge } from '../../elapsed.ts';
import { printable } from '../../output/printable.ts';
import { jsonFlag } from '../../parameters.ts';
import { vmPositional } from './vm-parameter.ts';

const HEAD = ['ID', 'STATUS', 'STARTED', 'USER', 'COMMAND'] as const;
const MAX_WORDS_LENGTH = 60;

export const listCommandsCommand = buildCommand({
  async func(this: CliContext, { json }: { readonly json: boolean }, vm: string) {
    using client = await this.connect();
    const commands = await client.commands.list(vm);
    if (json) this.output.json(commands);
    else await this.output.table(HEAD, commands.map(toRow));
  },
  parameters: { flags: { json: jsonFlag }, positional: vmPositional },
  docs: {
    brief: 'List the detached commands of a VM',
    fullDescription: `List the commands that were started in a VM with \`vm exec --detach\`: those that run, and the last that ended with how they did.
They are forgotten when the VM stops.

  banger vm commands demo
  banger vm commands --json demo`,
  },
});

function toRow(command: DetachedCommand): string[] {
  const { id, startedAt, user = 'root' } = command;
  const age = formatAge(Date.now() - Date.parse(startedAt));
  return [String(id), statusOf(command), age, printable(user), wordsOf(command)];
}

function statusOf({ status, exitCode, signal }: DetachedCommand): string {
  if (status === 'running') return 'running';
  return signal === undefined ? `exited ${exitCode ?? '?'}` : `signal ${signal}`;
}

function wordsOf({ argv, isArgvCut }: DetachedCommand): string {
  const words = printable(argv.join(' '));
  const isLong = words.length > MAX_WORDS_LENGTH;
  return isLong || isArgvCut ? `${words.slice(0, MAX_WORDS_LENGTH)}…` : words;
}
