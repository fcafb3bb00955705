import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface ProcessResult {
  /** 128 + n when signal n ended it, as a shell says it. */
  status: number;
  stdout: Buffer;
  stderr: string;
  /** stdout as text, without the last newline. */
  text: string;
}

export interface ProcessOptions {
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  input?: string | Uint8Array;
  signal?: AbortSignal;
  uid?: number;
  gid?: number;
}

const SIGNAL_NUMBERS: Record<string, number> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGPIPE: 13, SIGTERM: 15 };

/** Runs a program to its end, whatever its status. */
export async function runProcess(
  file: string,
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<ProcessResult> {
  const child = spawn(file, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: options.env,
    cwd: options.cwd,
    signal: options.signal,
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.gid }),
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  child.stdin.on('error', () => {}); // a program that does not read its stdin is its own business
  child.stdin.end(options.input ?? '');
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  const output = Buffer.concat(stdout);
  return {
    status: code ?? 128 + (SIGNAL_NUMBERS[signal ?? ''] ?? 0),
    stdout: output,
    stderr: Buffer.concat(stderr).toString('utf8'),
    text: output.toString('utf8').replace(/\n$/, ''),
  };
}
