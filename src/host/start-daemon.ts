import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { isTimeout, raceAbort, withTimeout, type Abortable } from '#base/abort.ts';
import { pollUntil } from '#base/backoff.ts';
import { ALLOCATOR, RUNTIME_FLAGS } from './daemon-runtime.ts';
import { ensurePrivateFolder } from './files.ts';
import { readTail } from './read-tail.ts';
import { READY_FD_VARIABLE, type StartFailure } from './ready-pipe.ts';
import { isListening } from './socket-probe.ts';

export interface DaemonLaunch {
  /** The program that runs the entry: Node. */
  program: string;
  /** `dist/bangerd.js` or `src/bin/bangerd.ts`. */
  entry: string;
  socketPath: string;
  /** Both outputs are appended here. */
  logPath: string;
  env: NodeJS.ProcessEnv;
  /** Default 20 s. */
  timeoutMs?: number;
}

/** `failure` is missing when the daemon died or hung without a word; then its log says why. */
export type DaemonStart =
  { ready: true } | { ready: false; failure: StartFailure | undefined; logTail: string };

const READY_FD = 3;
const MAX_MESSAGE_BYTES = 65_536;
const LOG_TAIL_BYTES = 4096;

/**
 * Starts the daemon in a session of its own and waits until it serves. When somebody else started one at the same
 * time, that one will do.
 *
 * @throws the signal's reason; the system error when the log cannot be opened or the program cannot be run
 */
export async function startDaemon(launch: DaemonLaunch, { signal }: Abortable = {}): Promise<DaemonStart> {
  const deadline = withTimeout(launch.timeoutMs ?? 20_000, signal);
  await ensurePrivateFolder(dirname(launch.logPath));
  try {
    const pipe = await spawnDaemon(launch);
    const message = await readMessage(pipe, deadline);
    if (message === 'ready') return { ready: true };
    if (message?.code !== 'DAEMON_ALREADY_RUNNING') return await notReady(launch, message);
    await pollUntil(async () => (await isListening(launch.socketPath)) || undefined, { signal: deadline });
    return { ready: true };
  } catch (error) {
    signal?.throwIfAborted();
    if (!isTimeout(error)) throw error;
    return notReady(launch, undefined);
  }
}

async function spawnDaemon(launch: DaemonLaunch): Promise<Readable> {
  const log = openSync(launch.logPath, 'a', 0o600);
  try {
    const child = spawn(launch.program, [...RUNTIME_FLAGS, launch.entry], {
      detached: true,
      stdio: ['ignore', log, log, 'pipe'],
      cwd: '/',
      env: { ...ALLOCATOR, ...launch.env, [READY_FD_VARIABLE]: String(READY_FD) },
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    child.unref();
    return child.stdio[READY_FD] as Readable;
  } finally {
    closeSync(log);
  }
}

/** Undefined when the daemon closed the pipe, thus ended, before it said anything. */
async function readMessage(pipe: Readable, signal: AbortSignal): Promise<'ready' | StartFailure | undefined> {
  try {
    return parseMessage(await raceAbort(readLine(pipe), signal));
  } finally {
    pipe.destroy();
  }
}

async function readLine(pipe: Readable): Promise<string> {
  let text = '';
  for await (const chunk of pipe.setEncoding('utf8') as AsyncIterable<string>) {
    text += chunk;
    if (text.includes('\n') || text.length > MAX_MESSAGE_BYTES) break;
  }
  return text;
}

function parseMessage(text: string): 'ready' | StartFailure | undefined {
  if (text.trim() === '') return undefined;
  const { ready, error } = JSON.parse(text) as { ready?: unknown; error?: Partial<StartFailure> };
  if (ready === true) return 'ready';
  if (typeof error?.code !== 'string' || typeof error.message !== 'string') return undefined;
  return {
    code: error.code,
    message: error.message,
    hint: typeof error.hint === 'string' ? error.hint : undefined,
  };
}

async function notReady(launch: DaemonLaunch, failure: StartFailure | undefined): Promise<DaemonStart> {
  const tail = await readTail(launch.logPath, LOG_TAIL_BYTES);
  const isCut = Buffer.byteLength(tail) >= LOG_TAIL_BYTES;
  return { ready: false, failure, logTail: isCut ? tail.slice(tail.indexOf('\n') + 1) : tail };
}
