import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemErrorCode } from '#base/errors.ts';
import type { Abortable } from '#base/abort.ts';
import { writeFileAtomic } from './files.ts';
import { runCommand } from './run-command.ts';

export interface TscFrequencyOptions extends Abortable {
  /** The measuring program, `native/build/tsc-khz`. */
  helperPath: string;
  /** Where the figure is kept until the host boots again; exists. */
  cacheDir: string;
  /** Default `/proc/sys/kernel/random/boot_id`. */
  bootIdPath?: string;
}

const MEASURE_TIMEOUT_MS = 5000;

/**
 * The frequency of the host's time stamp counter in kHz, undefined on machines that have none.
 * Measuring takes 0.1 s, so it is done once per host boot.
 *
 * @throws CommandError when the measuring program is missing or fails
 */
export async function findTscKHz(options: TscFrequencyOptions): Promise<number | undefined> {
  const bootId = (await readFile(options.bootIdPath ?? '/proc/sys/kernel/random/boot_id', 'utf8')).trim();
  const cachePath = join(options.cacheDir, 'tsc-khz');
  const cached = await readCached(cachePath, bootId);
  if (cached !== undefined) return cached;
  const { stdout } = await runCommand(options.helperPath, [], {
    signal: options.signal,
    timeoutMs: MEASURE_TIMEOUT_MS,
  });
  if (stdout.trim() === '') return undefined;
  const kHz = parseKHz(stdout.trim());
  if (kHz === undefined) {
    throw new Error(`${options.helperPath} printed no frequency: ${JSON.stringify(stdout.slice(0, 100))}`);
  }
  await writeFileAtomic(cachePath, `${bootId} ${kHz}\n`);
  return kHz;
}

async function readCached(path: string, bootId: string): Promise<number | undefined> {
  try {
    const [cachedBootId, kHz] = (await readFile(path, 'utf8')).trim().split(' ');
    return cachedBootId === bootId ? parseKHz(kHz ?? '') : undefined;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Between 100 MHz and 20 GHz: outside of that the reading is wrong, and a wrong figure makes guests' clocks drift. */
function parseKHz(text: string): number | undefined {
  const kHz = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  return kHz >= 100_000 && kHz <= 20_000_000 ? kHz : undefined;
}
