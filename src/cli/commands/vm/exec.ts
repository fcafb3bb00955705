import { buildCommand } from '@stricli/core';
import { UserError } from '#contract/errors.ts';
import type { CliContext } from '../../context.ts';
import { exitStatusOfCommand } from '../../guest/command-status.ts';
import { readGivenVariables } from '../../guest/given-variables.ts';
import { runGuestCommand, toRequest, type GuestCommand } from '../../guest/guest-command.ts';
import { LOGIN_SHELL } from '../../guest/login-shell.ts';
import { jsonFlag, onOff } from '../../parameters.ts';
import { StopSignals } from '../../stop-signals.ts';
import { jsonNeedsDetach } from './json-needs-detach.ts';
import { placeAliases, placeFlags, type PlaceFlags } from './run-flags.ts';
import { vmPositional } from './vm-parameter.ts';

interface Flags extends PlaceFlags {
  readonly interactive: boolean;
  readonly detach: boolean;
  readonly tty: boolean;
  readonly json: boolean;
}

async function execInVm(this: CliContext, flags: Flags, vm: string): Promise<void> {
  const argv = chooseWords(vm, flags, this.command);
  if (flags.tty && flags.interactive && !flags.detach && !this.process.stdin.isTTY) {
    throw new UserError('USAGE', 'Cannot run "banger vm exec -it": stdin is not a terminal', {
      hint: 'leave "-t" out',
    });
  }
  const { json } = flags;
  if (json && !flags.detach) throw jsonNeedsDetach('banger vm exec');
  const command: GuestCommand = {
    vm,
    argv,
    tty: flags.tty,
    passStdin: flags.interactive,
    env: readGivenVariables(flags.env ?? [], this.env),
    cwd: flags.workdir,
    user: flags.user,
  };
  const run = () => (flags.detach ? startDetached(this, command, { json }) : runAttached(this, command));
  this.exitStatus = await exitStatusOfCommand(this, run, { json });
}

async function runAttached(context: CliContext, command: GuestCommand): Promise<number> {
  using signals = new StopSignals();
  return await runGuestCommand({ guests: await context.connectForExec(), context, signals }, command);
}

async function startDetached(
  context: CliContext,
  command: GuestCommand,
  { json }: { json: boolean },
): Promise<number> {
  using client = await context.connect();
  const { vm, request } = toRequest(command, context);
  const { id } = await client.commands.start(vm, { ...request, stdin: command.passStdin });
  if (json) context.output.json({ id });
  else context.output.line(String(id));
  return 0;
}

function chooseWords(vm: string, { tty }: Flags, command: readonly string[] | undefined): readonly string[] {
  if (command && command.length > 0) return command;
  if (!command && tty) return LOGIN_SHELL;
  throw new UserError('USAGE', 'Cannot run "banger vm exec": there is no command after "--"', {
    hint: `for a shell: banger vm exec -it ${vm}`,
  });
}

export const execCommand = buildCommand({
  func: execInVm,
  parameters: {
    flags: {
      interactive: onOff('Pass stdin on to the command'),
      tty: onOff('Give the command a terminal'),
      detach: onOff('Let it run on by itself, and print its number'),
      json: jsonFlag,
      ...placeFlags,
    },
    aliases: { i: 'interactive', t: 'tty', d: 'detach', ...placeAliases },
    positional: vmPositional,
  },
  docs: {
    brief: 'Run a command in a VM that runs',
    customUsage: [
      '[flags] <vm> -- <command> [argument]...',
      '-it <vm>',
      '-d <vm> -- <command> [argument]...',
    ],
    fullDescription: `Run a command in a VM that runs. The words after \`--\` reach the guest exactly as they are, stdout and stderr stay apart, and
the exit status comes back (128 + n when signal n ended it). Without \`-i\` the command's stdin is closed. Variables, folder and user that are
not given are those that the VM's image names; \`banger vm show\` shows them.

With \`-d\` the command belongs to nobody: it runs on until it ends, gets a signal, or the VM stops. \`banger vm attach\` shows it. With \`-di\` its
stdin stays open for those who attach, with \`-dt\` it has a terminal. \`--json\` is for \`-d\`: \`{ "id": 3 }\`.

  banger vm exec demo -- ls -l /
  banger vm exec -it demo
  banger vm exec -i demo -- tar x -C /srv < site.tar
  banger vm exec -d demo -- make test
  banger vm exec --user nobody --env LANG=C.UTF-8 demo -- id`,
  },
});
