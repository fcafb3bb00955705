import { buildCommand } from '@stricli/core';
import { UserError } from '#contract/errors.ts';
import type { CreateVmRequest, Vm } from '#contract/owner/vm.ts';
import { commandOf } from '#contract/vm-command.ts';
import type { BangerClient } from '#sdk/client.ts';
import type { CliContext } from '../../context.ts';
import { createVm } from '../../create-vm.ts';
import { jsonFlag, onOff } from '../../parameters.ts';
import { formatElapsed } from '../../elapsed.ts';
import { awaitService } from '../../guest/await-service.ts';
import { exitStatusOfCommand } from '../../guest/command-status.ts';
import { runGuestCommand, type GuestCommand } from '../../guest/guest-command.ts';
import { LOGIN_SHELL } from '../../guest/login-shell.ts';
import { deleteVmForSure } from '../../guest/remove-after-run.ts';
import { Interruption } from '../../interruption.ts';
import { StopSignals } from '../../stop-signals.ts';
import { jsonNeedsDetach } from './json-needs-detach.ts';
import { createFlags, toCommand, toCreateRequest, type CreateFlags } from './create-flags.ts';
import { runAliases } from './run-flags.ts';

interface Flags extends CreateFlags {
  readonly rm: boolean;
  readonly detach: boolean;
  readonly json: boolean;
}

interface Run {
  client: BangerClient;
  signals: StopSignals;
  request: CreateVmRequest;
  rm: boolean;
  json: boolean;
}

async function runVm(this: CliContext, flags: Flags): Promise<void> {
  refuseAmbiguous(flags, this.command);
  const request = {
    ...(await toCreateRequest(flags, this.env)),
    ...(flags.rm ? { autoRemove: true } : {}),
    // Without --detach it is this process that runs the command, in the terminal.
    ...(flags.detach ? toCommand(this.command, 'banger vm run') : { service: false }),
  };
  using client = await this.connect();
  using signals = new StopSignals();
  const run: Run = { client, signals, request, rm: flags.rm, json: flags.json };
  if (flags.detach) await runDetached(this, run);
  else await runAttached(this, run);
}

function refuseAmbiguous({ rm, detach, json }: Flags, command: readonly string[] | undefined): void {
  if (command?.length === 0) throw ambiguous('there is no command after "--"', 'leave "--" out for a shell');
  if (detach && rm) throw ambiguous('"--detach" keeps the VM and "--rm" removes it', 'leave one of them out');
  if (json && !detach) throw jsonNeedsDetach('banger vm run');
}

function ambiguous(condition: string, hint: string): UserError {
  return new UserError('USAGE', `Cannot run "banger vm run": ${condition}`, { hint });
}

async function runDetached(context: CliContext, run: Run): Promise<void> {
  const { value: vm, elapsedMs } = await createVm(context, run);
  noteReady(context, elapsedMs);
  if (run.json) context.output.json(vm);
  else context.output.line(vm.name);
  const awaitStart = async () => {
    await awaitService(run, vm);
    return 0;
  };
  context.exitStatus = await exitStatusOfCommand(context, awaitStart, run);
  noteStays(context, vm.name);
}

async function runAttached(context: CliContext, run: Run): Promise<void> {
  const { client, signals, rm } = run;
  const vm = await createForRun(context, run);
  try {
    context.exitStatus = await exitStatusOfCommand(context, () =>
      runGuestCommand({ guests: client.vms, context, signals }, chooseCommand(context, vm)),
    );
  } finally {
    if (rm) await deleteVmForSure(context, { client, signals, vm });
    else noteStays(context, vm.name);
  }
}

/** A creation that fails has rolled back or left the VM on purpose; one that is left behind by a second Ctrl-C has not. */
async function createForRun(context: CliContext, run: Run): Promise<Vm> {
  let begun: { id: string; name: string } | undefined;
  try {
    const { value, elapsedMs } = await createVm(context, { ...run, onVm: (vm) => (begun = vm) });
    noteReady(context, elapsedMs);
    return value;
  } catch (error) {
    if (run.rm && begun && error instanceof Interruption)
      await deleteVmForSure(context, { ...run, vm: begun });
    throw error;
  }
}

/** A tty between two terminals; otherwise stdin is passed on when it is a pipe or a file, or when a shell reads it. */
function chooseCommand({ command, process: { stdin, stdout } }: CliContext, vm: Vm): GuestCommand {
  const tty = stdin.isTTY && stdout.isTTY;
  const passStdin = tty || command === undefined || !stdin.isTTY;
  return { vm: vm.id, vmName: vm.name, argv: chooseWords(vm, command), tty, passStdin };
}

/** As Docker: the words given replace the command of the image, not its entrypoint. */
function chooseWords({ run }: Vm, command: readonly string[] | undefined): readonly string[] {
  if (command) return [...(run?.entrypoint ?? []), ...command];
  const own = commandOf(run);
  return own.length > 0 ? own : LOGIN_SHELL;
}

function noteReady({ output }: CliContext, elapsedMs: number): void {
  output.note(output.noteStyle.dim(`ready in ${formatElapsed(elapsedMs)}`));
}

function noteStays({ output }: CliContext, name: string): void {
  output.note(
    `"${name}" stays: enter it with \`banger vm exec -it ${name}\`, remove it with \`banger vm delete -f ${name}\``,
  );
}

export const runVmCommand = buildCommand({
  func: runVm,
  parameters: {
    flags: {
      ...createFlags,
      rm: onOff('Delete the VM when the command or shell has ended'),
      detach: onOff(
        'Print its name as soon as it is ready, and leave it running; its command runs as a service',
      ),
      json: jsonFlag,
    },
    aliases: { d: 'detach', ...runAliases },
  },
  docs: {
    brief: 'Make a VM and run a command or a shell in it',
    customUsage: ['[flags]', '[flags] -- <command> [argument]...', '-d [flags] [-- <command> [argument]...]'],
    fullDescription: `Make a VM, boot it, and run a command in it; without one, what its image is there to run, else a login shell. The words
after \`--\` reach the guest exactly as they are, stdout carries only what the command writes, and its exit status comes back
(128 + n when signal n ended it).
The VM stays afterwards, unless there is \`--rm\`; a guest that never answers is kept in any case, to be looked at. \`--json\` is for \`-d\`: it
prints the VM.

  banger vm run --rm -- uname -a
  banger vm run --name demo
  banger vm run --rm --memory 4G -- sh -c 'make -j4 && make test'
  tar c . | banger vm run --rm -- tar t
  banger vm run -d -P --name web --image nginx

Between two terminals the command gets a terminal of its own. A pipe or file as stdin is passed on to it.

An image may name an entrypoint, a command, variables, a folder and a user. The words after \`--\` replace its command and
follow its entrypoint; \`--entrypoint\` replaces both. With \`-d\` entrypoint and command run as the service of the VM:
\`banger vm show\` shows how it is, \`banger vm logs\` what it writes.`,
  },
});
