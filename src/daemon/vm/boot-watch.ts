import { raceAbort } from '#base/abort.ts';
import { delay } from '#base/backoff.ts';
import { sizeIfThere } from '#host/files.ts';

/** `lifeless`: the guest's kernel has not printed a single byte. */
export type BootSign = 'answered' | 'exited' | 'lifeless';

export interface BootWatch {
  /** Resolves when the agent answers. */
  answered: (signal: AbortSignal) => Promise<unknown>;
  /** Resolves when the machine is gone. */
  exited: (signal: AbortSignal) => Promise<void>;
  consolePath: string;
  /** The console's size when the machine was launched. */
  consoleBytes: number;
  /** How long it may stay as it was; undefined: for ever. */
  lifelessAfterMs: number | undefined;
}

/** What a guest that boots does first. @throws what `answered` or `exited` throw; the signal's reason */
export async function firstBootSign(watch: BootWatch, signal: AbortSignal): Promise<BootSign> {
  const done = new AbortController();
  const bound = AbortSignal.any([signal, done.signal]);
  const signs: Promise<BootSign>[] = [
    watch.answered(bound).then(() => 'answered'),
    watch.exited(bound).then(() => 'exited'),
    waitForSilence(watch, bound).then(() => 'lifeless'),
  ];
  for (const sign of signs) sign.catch(() => {}); // only the first one counts
  try {
    return await Promise.race(signs);
  } finally {
    done.abort();
  }
}

/** The size of the console's log, 0 when there is none yet. */
export async function consoleSize(path: string): Promise<number> {
  return (await sizeIfThere(path)) ?? 0;
}

async function waitForSilence(watch: BootWatch, signal: AbortSignal): Promise<void> {
  if (watch.lifelessAfterMs !== undefined) {
    await delay(watch.lifelessAfterMs, { signal });
    if ((await consoleSize(watch.consolePath)) === watch.consoleBytes) return;
  }
  await raceAbort(new Promise<never>(() => {}), signal);
}
