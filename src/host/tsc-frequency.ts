import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Abortable } from '#base/abort.ts';
import { readFileIfThere, writeFileAtomic } from './files.ts';
import { runCommand } from './run-command.ts';

export interface TscFrequencyOptions extends Abortable {
  /** The measuring program, `native/build/tsc-khz`. */
  helperPath: string;
  /** Where the figure is kept until the host boots again; exists. */
  cacheDir: string;
  /** Default `/proc/sys/kernel/random/boot_id`. */
  bootIdPath?: string;
}

const BOOT_ID_PATH = '/proc/sys/kernel/random/boot_id';
const MEASURE_TIMEOUT_MS = 5000;

/**
 * The frequency of the host's time stamp counter in kHz, undefined on machines that have none.
 * Measuring takes 0.1 s, so it is done once per host boot.
 *
 * @throws CommandError when the measuring program is missing or fails
 */
export async function findTscKHz(options: TscFrequencyOptions): Promise<number | undefined> {
  const bootId = (await readFile(options.bootIdPath ?? BOOT_ID_PATH, 'utf8')).trim();
  const cachePath = tscCachePath(options.cacheDir);
  const cached = await readCached(cachePath, bootId);
  if (cached !== undefined) return cached;
  const kHz = await measureTscKHz(options.helperPath, options);
  if (kHz !== undefined) await writeFileAtomic(cachePath, `${bootId} ${kHz}\n`);
  return kHz;
}

/** Measures, whatever is remembered. Throws as {@link findTscKHz} does. */
export async function measureTscKHz(
  helperPath: string,
  { signal }: Abortable = {},
): Promise<number | undefined> {
  const { stdout } = await runCommand(helperPath, [], { signal, timeoutMs: MEASURE_TIMEOUT_MS });
  if (stdout.trim() === '') return undefined;
  const kHz = parseKHz(stdout.trim());
  if (kHz === undefined) {
    throw new Error(`${helperPath} printed no frequency: ${JSON.stringify(stdout.slice(0, 100))}`);
  }
  return kHz;
}

/** The figure of this boot, undefined when none was measured yet. */
export async function rememberedTscKHz(cacheDir: string): Promise<number | undefined> {
  const bootId = (await readFile(BOOT_ID_PATH, 'utf8')).trim();
  return readCached(tscCachePath(cacheDir), bootId);
}

export async function forgetTscKHz(cacheDir: string): Promise<void> {
  await rm(tscCachePath(cacheDir), { force: true });
}

function tscCachePath(cacheDir: string): string {
  return join(cacheDir, 'tsc-khz');
}

async function readCached(path: string, bootId: string): Promise<number | undefined> {
  const [cachedBootId, kHz = ''] = (await readFileIfThere(path))?.trim().split(' ') ?? [];
  return cachedBootId === bootId ? parseKHz(kHz) : undefined;
}

/** Between 100 MHz and 20 GHz: outside of that the reading is wrong, and a wrong figure makes guests' clocks drift. */
function parseKHz(text: string): number | undefined {
  const kHz = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  return kHz >= 100_000 && kHz <= 20_000_000 ? kHz : undefined;
}
