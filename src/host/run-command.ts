import type { Readable } from 'node:stream';
import { execa, ExecaError } from 'execa';
import type { Abortable } from '#base/abort.ts';
import { systemErrorCode } from '#base/errors.ts';
import { childEnvironment } from './child-environment.ts';
import { isProgramMissing } from './missing-program.ts';

export interface CommandOptions extends Abortable {
  cwd?: string;
  /** Besides what every program gets; nothing else of this process's environment is passed on. */
  env?: Readonly<Record<string, string>>;
  /** The program uses the network: it is told of the user's proxies. */
  proxies?: boolean;
  /** Written to the command's stdin, which is closed otherwise. */
  input?: string | Uint8Array | Readable;
  timeoutMs?: number;
  /** It and whatever it starts are a process group of their own, all of which an abort ends. */
  group?: boolean;
  /** What it prints may be endless: `onLine` gets it, and the result has none of it. */
  discardOutput?: boolean;
  /** Called with each line of stdout and stderr as it comes; long lines are cut at 8 KiB. */
  onLine?: (line: string, stream: 'stdout' | 'stderr') => void;
}

export interface CommandResult {
  stdout: string;
  stderr: string;
}

/** A command ended with a status other than 0, by a signal, or could not be started. */
export class CommandError extends Error {
  readonly command: string;
  readonly exitCode: number | undefined;
  readonly terminatedBy: string | undefined;
  /** `ENOENT` when the program is not there. */
  readonly systemCode: string | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;

  constructor(error: ExecaError, command: string) {
    const stderr = String(error.stderr ?? '').trim();
    const lastWords = stderr && !error.isMaxBuffer ? `: ${lastLines(stderr, 5)}` : '';
    const isMissing = isProgramMissing(command, error.code);
    super(`${command}: ${isMissing ? 'not found' : howItEnded(error)}${lastWords}`, { cause: error });
    this.name = 'CommandError';
    this.command = command;
    this.exitCode = error.exitCode;
    this.terminatedBy = error.signal;
    this.systemCode = isMissing ? 'ENOENT' : error.code;
    this.stdout = String(error.stdout ?? '');
    this.stderr = stderr;
    this.timedOut = error.timedOut;
  }
}

const MAX_OUTPUT_MIB = 16;
const FORCE_AFTER_MS = 2000;

/**
 * Runs a program to its end, without a shell. Aborting kills its whole process tree's leader with SIGTERM, after 2 s SIGKILL.
 *
 * @throws CommandError when it cannot start or does not end with status 0; the signal's reason when aborted
 */
export async function runCommand(
  file: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  options.signal?.throwIfAborted();
  const child = execa(file, args, {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: childEnvironment({ extra: options.env, proxies: options.proxies }),
    extendEnv: false,
    ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
    ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs }),
    ...(options.signal === undefined || options.group ? {} : { cancelSignal: options.signal }),
    detached: options.group === true,
    buffer: options.discardOutput !== true,
    forceKillAfterDelay: FORCE_AFTER_MS,
    maxBuffer: MAX_OUTPUT_MIB * 2 ** 20,
    stripFinalNewline: false,
  });
  using _ = options.group ? killGroupOnAbort(child.pid, options.signal) : undefined;
  const { onLine } = options;
  const outputs = onLine ? (['stdout', 'stderr'] as const) : [];
  const forwarding = outputs.map((from) =>
    forwardLines(child.iterable({ from }), (line) => onLine?.(line, from)),
  );
  try {
    const { stdout, stderr } = await child;
    await Promise.all(forwarding);
    return { stdout: stdout ?? '', stderr: stderr ?? '' };
  } catch (error) {
    options.signal?.throwIfAborted();
    if (error instanceof ExecaError) throw new CommandError(error, file);
    throw error;
  }
}

export function lastLines(text: string, count: number): string {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}

/** SIGTERM to a process group, SIGKILL when some of it is still there; disposing ends the watch, and what outlived an abort. */
function killGroupOnAbort(pid: number | undefined, signal: AbortSignal | undefined): Disposable {
  let timer: NodeJS.Timeout | undefined;
  const onAbort = () => {
    signalGroup(pid, 'SIGTERM');
    timer = setTimeout(() => signalGroup(pid, 'SIGKILL'), FORCE_AFTER_MS);
  };
  signal?.addEventListener('abort', onAbort, { once: true });
  return {
    [Symbol.dispose]: () => {
      signal?.removeEventListener('abort', onAbort);
      clearTimeout(timer);
      if (signal?.aborted) signalGroup(pid, 'SIGKILL');
    },
  };
}

function signalGroup(pid: number | undefined, name: 'SIGTERM' | 'SIGKILL'): void {
  if (pid === undefined) return; // it never started
  try {
    process.kill(-pid, name);
  } catch (error) {
    if (systemErrorCode(error) !== 'ESRCH') throw error; // all of it has ended
  }
}

function howItEnded(error: ExecaError): string {
  if (error.timedOut) return 'timed out';
  if (error.isMaxBuffer) return `printed more than ${MAX_OUTPUT_MIB} MiB`;
  return error.signal ? `ended by ${error.signal}` : `exit status ${error.exitCode ?? 'unknown'}`;
}

async function forwardLines(lines: AsyncIterable<unknown>, onLine: (line: string) => void): Promise<void> {
  try {
    for await (const line of lines) onLine(String(line).slice(0, 8192));
  } catch {
    // The command's own promise reports how it failed; this only watches.
  }
}
