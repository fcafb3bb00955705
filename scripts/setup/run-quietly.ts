import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { once } from 'node:events';
import type { SetupContext } from './context.ts';

const TAIL_LINES = 30;
/** What a shell says of a program that cannot be started. */
const NOT_STARTED = 127;

/** Set-up cannot go on; the message says what to do. */
export class SetupError extends Error {}

export interface QuietResult {
  status: number;
  /** The last lines of its output. */
  tail: string;
}

/** Runs a program with its output in .runtime/setup.log; only the last line is seen, beside the stage. */
export async function runQuietly(
  context: SetupContext,
  command: readonly string[],
  options: QuietOptions = {},
): Promise<QuietResult> {
  const [program = '', ...args] = command;
  const log = createWriteStream(join(context.root, '.runtime/setup.log'), { flags: 'a' });
  log.write(`\n${new Date().toISOString()} ${command.join(' ')}\n`);
  const child = spawn(program, args, {
    cwd: options.cwd ?? context.root,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const tail: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface(stream).on('line', (line) => {
      log.write(`${line}\n`);
      tail.push(line);
      if (tail.length > TAIL_LINES) tail.shift();
      if (line.trim() !== '') context.stages.detail(line.trim());
    });
  }
  try {
    const [status] = (await once(child, 'close')) as [number | null];
    return { status: status ?? 1, tail: tail.join('\n') };
  } catch (error) {
    return { status: NOT_STARTED, tail: `it cannot be started: ${(error as Error).message}` };
  } finally {
    log.end();
  }
}

export interface QuietOptions {
  cwd?: string;
  env?: Record<string, string>;
}

/** The same, for a program that has to succeed. */
export async function runOrThrow(
  context: SetupContext,
  what: string,
  command: readonly string[],
  options: QuietOptions = {},
): Promise<void> {
  const { status, tail } = await runQuietly(context, command, options);
  if (status !== 0) {
    throw new SetupError(`Cannot ${what}: "${command.join(' ')}" ended with status ${status}\n${tail}`);
  }
}
