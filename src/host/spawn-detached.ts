import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { childEnvironment } from './child-environment.ts';
import { findProcess, type ProcessIdentity } from './proc.ts';

export interface DetachedOptions {
  /** Both outputs are appended here; made 0600. */
  logPath: string;
  cwd?: string;
  /** Besides what every program gets; nothing else of this process's environment is passed on. */
  env?: Readonly<Record<string, string>>;
}

export interface DetachedProcess {
  identity: ProcessIdentity;
  /** How it ended, if it ends while this process still runs. */
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

/**
 * Starts a program in a session of its own that outlives this process.
 *
 * @throws the system error (`ENOENT`, `EACCES`) when it cannot be started
 */
export async function spawnDetached(
  file: string,
  args: readonly string[],
  options: DetachedOptions,
): Promise<DetachedProcess> {
  const log = openSync(options.logPath, 'a', 0o600);
  try {
    const child = spawn(file, args, {
      detached: true,
      stdio: ['ignore', log, log],
      cwd: options.cwd ?? '/',
      env: childEnvironment({ extra: options.env }),
    });
    const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
      child.once('exit', (code, signal) => resolve({ code, signal }));
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    child.unref();
    const pid = child.pid as number;
    // A child that has ended already stays a zombie until the event loop turns, so its stat is still there.
    const stat = await findProcess(pid);
    return { identity: { pid, startTicks: stat?.startTicks ?? 0 }, exited };
  } finally {
    closeSync(log);
  }
}
