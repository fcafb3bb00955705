import { formatSize } from '#base/sizes.ts';
import type { BangerClient } from '#sdk/client.ts';
import type { AttachOptions, CommandView } from '#sdk/commands.ts';
import type { CliContext } from '../context.ts';
import { exitStatusOfSignal, Interruption } from '../interruption.ts';
import type { StopSignals } from '../stop-signals.ts';
import { filterDetachKeys } from './detach-keys.ts';
import { finish, followSize, sizeOf } from './guest-command.ts';
import { enterRawMode } from './raw-mode.ts';
import { feedStdin } from './stdin.ts';

export interface ViewedCommand {
  /** Name, id or prefix of the VM. */
  vm: string;
  id: number;
  tailLines?: number | undefined;
  /** Pass our stdin on, if the command takes any. */
  passStdin: boolean;
}

export interface Viewer {
  client: BangerClient;
  context: CliContext;
  signals: StopSignals;
}

/**
 * Shows a detached command until it ends, or until this viewer leaves: with a signal, Ctrl-P Ctrl-Q on a terminal, or because nobody
 * reads our output. Leaving lets the command go on.
 *
 * @returns its status, 128 + n for signal n; of a viewer that left 128 + the signal, 0 for the keys
 * @throws UserError what the daemon answers; Interruption when a signal came before the command was there
 */
export async function viewCommand(viewer: Viewer, command: ViewedCommand): Promise<number> {
  const { context, signals } = viewer;
  const view = await open(viewer, command);
  const guest = view.process;
  using _guest = guest;
  if (command.tailLines === undefined && view.fromByte > 0)
    context.output.note(`banger: its first ${formatSize(view.fromByte)} of output are forgotten`);
  const left = Promise.withResolvers<number>();
  using _input = passInput(view, command, { context, leave: () => left.resolve(0) });
  using _signals = signals.handle((signal) => left.resolve(exitStatusOfSignal(signal)));
  void context.output.stdout.broken.then(() => left.resolve(exitStatusOfSignal('SIGPIPE')));
  const ended = finish(guest, context).then((status) => ({ status, hasEnded: true }));
  const outcome = await Promise.race([ended, left.promise.then((status) => ({ status, hasEnded: false }))]);
  if (!outcome.hasEnded) {
    ended.catch(() => {}); // nobody waits for it any more
    context.output.note(
      `banger: left; it goes on, and \`banger vm attach ${command.vm} ${command.id}\` shows it again`,
    );
  }
  return outcome.status;
}

async function open({ client, context, signals }: Viewer, command: ViewedCommand): Promise<CommandView> {
  const { vm, id, tailLines, passStdin } = command;
  signals.throwIfWaiting();
  const attaching = new AbortController();
  using _ = signals.handle((signal) => attaching.abort(new Interruption(signal)));
  const options: AttachOptions = {
    ...(tailLines === undefined ? {} : { tailLines }),
    ...(passStdin
      ? { stdin: true, ...(context.process.stdout.isTTY ? sizeOf(context.process.stdout) : {}) }
      : {}),
    onLost: (bytes) =>
      context.output.note(`banger: ${formatSize(bytes)} of output lost here, this end was too slow`),
    signal: attaching.signal,
  };
  return await client.commands.attach(vm, id, options);
}

function passInput(
  { process: guest, tty, takesInput }: CommandView,
  { passStdin }: ViewedCommand,
  { context, leave }: { context: CliContext; leave: () => void },
): Disposable {
  const stack = new DisposableStack();
  if (!passStdin || !takesInput) return stack;
  const { stdin, stdout } = context.process;
  if (tty) stack.use(followSize(guest, stdout));
  if (tty && stdin.isTTY) {
    stack.use(enterRawMode(stdin));
    const keys = filterDetachKeys(leave);
    keys.pipe(guest.stdin);
    stack.use(feedStdin(context, keys));
  } else {
    stack.use(feedStdin(context, guest.stdin));
  }
  return stack;
}
