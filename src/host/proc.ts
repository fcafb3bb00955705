import { readdir, readFile, stat } from 'node:fs/promises';
import { systemErrorCode } from '#base/errors.ts';
import { pollUntil, type PollOptions } from '#base/backoff.ts';

/** A process is only ever trusted by pid and start time together: pids are used again. */
export interface ProcessIdentity {
  pid: number;
  /** Field 22 of /proc/PID/stat: clock ticks after boot (proc_pid_stat(5)). */
  startTicks: number;
}

export interface ProcessStat extends ProcessIdentity {
  /** R, S, D, T, Z, … */
  state: string;
  parentPid: number;
  threads: number;
}

/** The process with this pid, or undefined when there is none. A zombie still has a stat. */
export async function findProcess(pid: number): Promise<ProcessStat | undefined> {
  const fields = await readStatFields(pid);
  if (fields === undefined) return undefined;
  return {
    pid,
    state: fields[0] ?? '?',
    parentPid: Number(fields[1]),
    threads: Number(fields[17]),
    startTicks: Number(fields[19]),
  };
}

/** True while exactly this process runs: until its last thread has let go of its files and locks. */
export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  const found = await findProcess(identity.pid);
  return found !== undefined && found.startTicks === identity.startTicks && !hasEnded(found);
}

/** A zombie that still counts threads is a killed process whose other threads have not ended yet. */
function hasEnded({ state, threads }: ProcessStat): boolean {
  return (state === 'Z' || state === 'X') && threads <= 1;
}

/** The arguments of a process, empty when it is gone, is a kernel thread or belongs to somebody else. */
export async function commandLineOf(pid: number): Promise<string[]> {
  const text = (await readProcFile(pid, 'cmdline')) ?? '';
  return text.split('\0').slice(0, -1);
}

/** Whether the process runs as this user. Anybody can start a process with any command line. */
export async function isOwnProcess(pid: number): Promise<boolean> {
  try {
    return (await stat(`/proc/${pid}`)).uid === process.geteuid?.();
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}

/** Processes whose command line satisfies `matches`. */
export async function findProcessesByCommandLine(
  matches: (argv: readonly string[]) => boolean,
): Promise<ProcessIdentity[]> {
  const found = await matchProcesses((argv) => (matches(argv) ? true : undefined));
  return found.map(({ process }) => process);
}

/** Processes of whose command line `match` makes something, with what it makes of it. */
export async function matchProcesses<T>(
  match: (argv: readonly string[]) => T | undefined,
): Promise<{ process: ProcessIdentity; value: T }[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const value = match(await commandLineOf(pid));
      const stat = value === undefined ? undefined : await findProcess(pid);
      if (value === undefined || !stat || hasEnded(stat)) return [];
      return [{ process: { pid, startTicks: stat.startTicks }, value }];
    }),
  );
  return found.flat();
}

/** Sends a signal if, and only if, it is still the same process. Returns false when it is gone. */
export async function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): Promise<boolean> {
  if (!(await isAlive(identity))) return false;
  try {
    process.kill(identity.pid, signal);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'ESRCH') return false;
    throw error;
  }
}

/** Resolves when the process has ended. */
export async function waitForProcessExit(
  identity: ProcessIdentity,
  options: PollOptions = {},
): Promise<void> {
  await pollUntil(async () => ((await isAlive(identity)) ? undefined : true), options);
}

/** /proc/PID/stat from its third field on, the state. */
export async function readStatFields(pid: number): Promise<string[] | undefined> {
  const text = await readProcFile(pid, 'stat');
  // The command name is in parentheses and may itself hold spaces and parentheses: fields start after the last one.
  return text?.slice(text.lastIndexOf(')') + 2).split(' ');
}

/** A file of a process; undefined when the process is gone or does not show it to us. */
export async function readProcFile(pid: number, name: string): Promise<string | undefined> {
  try {
    return await readFile(`/proc/${pid}/${name}`, 'utf8');
  } catch (error) {
    if (isGone(error) || systemErrorCode(error) === 'EACCES') return undefined;
    throw error;
  }
}

function isGone(error: unknown): boolean {
  const code = systemErrorCode(error);
  return code === 'ENOENT' || code === 'ESRCH';
}
