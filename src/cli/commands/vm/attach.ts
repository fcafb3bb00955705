import { buildCommand } from '@stricli/core';
import { UserError } from '#contract/errors.ts';
import type { BangerClient } from '#sdk/client.ts';
import type { CliContext } from '../../context.ts';
import { viewCommand } from '../../guest/view-command.ts';
import { onOff, parseLineCount } from '../../parameters.ts';
import { StopSignals } from '../../stop-signals.ts';
import { commandParameter } from './command-parameter.ts';
import { vmParameter } from './vm-parameter.ts';

interface Flags {
  readonly interactive: boolean;
  readonly noStdin: boolean;
  readonly tail?: number;
}

async function attachToCommand(this: CliContext, flags: Flags, vm: string, command?: number): Promise<void> {
  if (flags.interactive && flags.noStdin) {
    throw new UserError('USAGE', 'Cannot run "banger vm attach": "-i" and "--no-stdin" exclude each other');
  }
  using client = await this.connect();
  using signals = new StopSignals();
  const id = command ?? (await findNewest(client, vm));
  // A pipe or a file would end, and with it the command's input, without anybody having meant that.
  const passStdin = !flags.noStdin && (flags.interactive || this.process.stdin.isTTY);
  this.exitStatus = await viewCommand(
    { client, context: this, signals },
    { vm, id, tailLines: flags.tail, passStdin },
  );
}

async function findNewest(client: BangerClient, vm: string): Promise<number> {
  const commands = await client.commands.list(vm);
  const newest = commands.findLast(({ status }) => status === 'running');
  if (newest) return newest.id;
  throw new UserError('DETACHED_COMMAND_NOT_FOUND', `Cannot attach to "${vm}": no detached command runs`, {
    hint:
      commands.length === 0
        ? `start one: banger vm exec -d ${vm} -- COMMAND`
        : `one that has ended can be seen by its number: banger vm commands ${vm}`,
  });
}

export const attachCommand = buildCommand({
  func: attachToCommand,
  parameters: {
    flags: {
      interactive: onOff('Pass stdin on although it is no terminal'),
      noStdin: onOff('Only look'),
      tail: {
        kind: 'parsed',
        parse: parseLineCount,
        brief: 'Only so many lines of what it wrote before; default: all that is kept',
        placeholder: 'lines',
        optional: true,
      },
    },
    aliases: { i: 'interactive', n: 'tail' },
    positional: {
      kind: 'tuple',
      parameters: [
        vmParameter,
        { ...commandParameter, brief: 'Its number; default: the newest that runs', optional: true },
      ],
    },
  },
  docs: {
    brief: 'Show a command that was started with "vm exec --detach"',
    fullDescription: `Show what a detached command wrote, as far as it is kept (256 KiB), and go on until it ends; its exit status comes back. Any number of viewers may
do so at once. One that is too slow misses output and is told so; it holds up nobody.

Ctrl-C leaves, and the command goes on. On a command with a terminal every key goes to it, Ctrl-C too; Ctrl-P Ctrl-Q leaves.
Keys and lines typed here reach a command that was started with \`-i\` or \`-t\`.

  banger vm exec -d demo -- make -j2
  banger vm attach demo
  banger vm attach --tail 20 --no-stdin demo 3`,
  },
});
