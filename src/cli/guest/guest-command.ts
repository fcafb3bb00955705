import { UserError } from '#contract/errors.ts';
import type { ExecRequest, ExecResult } from '#contract/owner/exec.ts';
import type { ExecClient } from '#sdk/exec-client.ts';
import type { ExecProcess } from '#sdk/exec-process.ts';
import type { CliContext } from '../context.ts';
import { exitStatusOfSignal, Interruption } from '../interruption.ts';
import { osConstants } from '../os-constants.ts';
import type { Sink } from '../output/sink.ts';
import type { StopSignals } from '../stop-signals.ts';
import { explainShell, LOGIN_SHELL } from './login-shell.ts';
import { enterRawMode } from './raw-mode.ts';
import { feedStdin } from './stdin.ts';

/** What runs commands in guests. */
type Guests = Pick<ExecClient, 'exec'>;

export interface GuestCommand {
  /** Name, id or prefix of the VM. */
  vm: string;
  /** For what is said to people, where `vm` is an id. */
  vmName?: string;
  argv: readonly string[];
  tty: boolean;
  /** Otherwise the command's stdin is closed at once. */
  passStdin: boolean;
  env?: Readonly<Record<string, string>> | undefined;
  cwd?: string | undefined;
  user?: string | undefined;
}

/** How long a command may take to die of a closed pipe or of the last signal. */
const LAST_WORDS_MS = 2000;

/**
 * Runs a command in the guest with our streams as its own; resolves with its status, 128 + n for signal n.
 *
 * Without a tty Ctrl-C sends SIGINT to it, the second time SIGKILL, and the third time leaves it alone.
 *
 * @throws UserError what the daemon answers; Interruption when a signal came before the command ran
 */
export async function runGuestCommand(
  { guests, context, signals }: { guests: Guests; context: CliContext; signals: StopSignals },
  command: GuestCommand,
): Promise<number> {
  const starting = startCommand({ guests, signals }, command, context);
  // Once the request is out: the guest takes longer to start a command than we take to open our outputs.
  setImmediate(() => {
    void context.output.stdout;
    void context.process.stderr; // where it is not open Node opens it to close the connection
  });
  const guest = await starting;
  using _guest = guest;
  using _raw =
    command.tty && command.passStdin && context.process.stdin.isTTY
      ? enterRawMode(context.process.stdin)
      : undefined;
  using _resize = command.tty ? followSize(guest, context.process.stdout) : undefined;
  using _stdin = command.passStdin ? feedStdin(context, guest.stdin) : closeStdin(guest);
  const gaveUp = Promise.withResolvers<number>();
  using _signals = forwardSignals(guest, signals, gaveUp.resolve);
  void context.output.stdout.broken.then(() => endByClosedPipe(guest, gaveUp.resolve));
  return await Promise.race([finish(guest, context), gaveUp.promise]);
}

async function startCommand(
  { guests, signals }: { guests: Guests; signals: StopSignals },
  command: GuestCommand,
  context: CliContext,
): Promise<ExecProcess> {
  const { vm, request } = toRequest(command, context);
  signals.throwIfWaiting();
  const starting = new AbortController();
  using _ = signals.handle((signal) => starting.abort(new Interruption(signal)));
  try {
    // With a terminal the end of the input is a character, which the command has to be there for.
    const emptyStdin = !command.passStdin && !command.tty;
    return await guests.exec(vm, request, { emptyStdin, signal: starting.signal });
  } catch (error) {
    throw command.argv === LOGIN_SHELL ? explainShell(error, command.vmName ?? vm) : error;
  }
}

/** With this terminal's kind and size, where the command gets one. */
export function toRequest(command: GuestCommand, context: CliContext): { vm: string; request: ExecRequest } {
  const { argv, cwd, user, tty } = command;
  const term = context.env['TERM'];
  const env = { ...(tty && term !== undefined ? { TERM: term } : {}), ...command.env };
  const size = tty && context.process.stdout.isTTY ? sizeOf(context.process.stdout) : {};
  return {
    vm: command.vm,
    request: {
      argv: [...argv],
      ...(tty ? { tty } : {}),
      ...size,
      env,
      ...(cwd === undefined ? {} : { cwd }),
      ...(user === undefined ? {} : { user }),
    },
  };
}

/** The command's two outputs to ours. @returns its status, 128 + n for signal n */
export async function finish(guest: ExecProcess, context: CliContext): Promise<number> {
  const [result] = await Promise.all([
    guest.wait(),
    pump(guest.stdout, () => context.output.stdout),
    pump(guest.stderr, () => context.output.stderr),
  ]);
  return statusOf(result);
}

/** Opens the sink for the first byte. Goes on reading when it is broken, so that the guest is never stuck on it. */
async function pump(source: AsyncIterable<Uint8Array>, sink: () => Sink): Promise<void> {
  for await (const chunk of source) await sink().write(chunk);
}

function statusOf({ exitCode, signal }: ExecResult): number {
  if (exitCode !== undefined) return exitCode;
  if (signal !== undefined) return 128 + signal;
  throw new UserError('GUEST_LINK_LOST', 'Cannot tell how the command ended: the daemon did not say');
}

function forwardSignals(
  guest: ExecProcess,
  signals: StopSignals,
  giveUp: (status: number) => void,
): Disposable {
  return signals.handle((signal, count) => {
    if (count > 2) giveUp(exitStatusOfSignal(signal));
    else guest.kill(count === 1 ? osConstants().signals[signal] : osConstants().signals.SIGKILL);
  });
}

/** As if the command itself had written to the pipe that nobody reads. */
function endByClosedPipe(guest: ExecProcess, giveUp: (status: number) => void): void {
  guest.kill(osConstants().signals.SIGPIPE);
  setTimeout(() => giveUp(exitStatusOfSignal('SIGPIPE')), LAST_WORDS_MS).unref();
}

function closeStdin(guest: ExecProcess): undefined {
  guest.stdin.on('error', () => {}); // the command may end before its stdin is closed
  guest.stdin.end();
}

/** Tells the guest's terminal when ours changes its size. */
export function followSize(guest: ExecProcess, stdout: NodeJS.WriteStream): Disposable {
  const listener = () => {
    const { rows, columns } = sizeOf(stdout);
    if (rows !== undefined && columns !== undefined) guest.resize(rows, columns);
  };
  stdout.on('resize', listener);
  return { [Symbol.dispose]: () => void stdout.removeListener('resize', listener) };
}

/** A terminal that does not know its size says 0. */
export function sizeOf(stdout: NodeJS.WriteStream): { rows?: number; columns?: number } {
  return stdout.rows > 0 && stdout.columns > 0 ? { rows: stdout.rows, columns: stdout.columns } : {};
}
