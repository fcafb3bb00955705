import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface GroupOptions {
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** Where the output goes: not a temporary folder of the tests' own. */
  logFolder: string;
  timeoutMs: number;
}

export interface GroupResult {
  /** What is wrong with how it ended: a signal, the deadline. */
  ending: string | undefined;
  status: number | null;
  output: string;
  durationMs: number;
}

const running = new Set<ChildProcess>();

/** Runs a program in a process group of its own, which is killed as a whole at the deadline. */
export async function runGroup(command: readonly string[], options: GroupOptions): Promise<GroupResult> {
  const [program = '', ...args] = command;
  const { cwd, env, logFolder, timeoutMs } = options;
  mkdirSync(logFolder, { recursive: true });
  const log = join(logFolder, `${command.at(-1)?.replaceAll('/', '-')}.log`);
  const startedMs = performance.now();
  // To a file, not a pipe: whatever a test leaves behind would hold the pipe open.
  const output = openSync(log, 'w');
  const child = spawn(program, args, { cwd, env, stdio: ['ignore', output, output], detached: true });
  closeSync(output);
  running.add(child);
  let isLate = false;
  const deadline = setTimeout(() => {
    isLate = true;
    killGroup(child);
  }, timeoutMs);
  const [status, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  clearTimeout(deadline);
  running.delete(child);
  const late = `killed after ${timeoutMs / 1000} s`;
  return {
    ending: isLate ? late : signal ? `ended by ${signal}` : undefined,
    status,
    output: readFileSync(log, 'utf8'),
    durationMs: performance.now() - startedMs,
  };
}

/** For when the run itself is interrupted. */
export function killRunningGroups(): void {
  for (const child of running) killGroup(child);
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // gone already
  }
}
