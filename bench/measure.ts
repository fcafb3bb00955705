import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { delay } from '#base/backoff.ts';

/** Milliseconds that `body` takes. */
export async function timeOf(body: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await body();
  return performance.now() - begin;
}

/**
 * Runs each contender once, in turn, `rounds` times, so that what the machine does meanwhile meets all alike; every other round goes
 * backwards, so that none always comes after the same one.
 */
export async function interleave<Name extends string>(
  rounds: number,
  contenders: Readonly<Record<Name, () => Promise<number>>>,
): Promise<Record<Name, number[]>> {
  const names = Object.keys(contenders) as Name[];
  const samples = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let round = 0; round < rounds; round += 1) {
    const order = round % 2 === 0 ? names : names.toReversed();
    for (const name of order) samples[name].push(await contenders[name]());
  }
  return samples;
}

export async function sample(rounds: number, body: () => Promise<number>): Promise<number[]> {
  const samples: number[] = [];
  for (let round = 0; round < rounds; round += 1) samples.push(await body());
  return samples;
}

/** Longer than a host that is a VM itself waits before it gives free memory back to its own host (2 s). */
const REST_MS = 3000;

/**
 * Measures on a machine that has done nothing for a while. Two machines one after the other would get memory by turns that is still there
 * and that has to be fetched first: 1.16 and 1.35 s for the same boot.
 */
export async function rested<T>(measure: () => Promise<T>): Promise<T> {
  await delay(REST_MS);
  return measure();
}

/** More than any process of a bench takes on a busy machine. */
const PROCESS_MS = 120_000;

/** Fails loudly instead of waiting for ever: the signal's reason says what did not happen. */
export function deadlineFor(what: string): AbortSignal {
  const controller = new AbortController();
  const expire = () => controller.abort(new Error(`${what} took longer than ${PROCESS_MS / 1000} s`));
  setTimeout(expire, PROCESS_MS).unref();
  return controller.signal;
}

/** Milliseconds from spawn to exit; throws unless the status is 0. */
export async function timeOfProcess(
  file: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<number> {
  const begin = performance.now();
  const child = spawn(file, args, {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: PROCESS_MS,
    killSignal: 'SIGKILL',
  });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  const elapsed = performance.now() - begin;
  if (code === 0) return elapsed;
  const how = `ended with ${code ?? signal} after ${Math.round(elapsed)} ms`;
  throw new Error(`${file} ${args.join(' ')} ${how}: ${stderr}`);
}
