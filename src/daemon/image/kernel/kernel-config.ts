import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemErrorCode } from '#base/errors.ts';
import { MiB } from '#base/sizes.ts';

/** Debian's has 260 KiB. */
const MAX_CONFIG_BYTES = MiB;
/** What `kernel/Kconfig.hz` and its counterparts offer. */
const TIMER_HZ = { least: 24, most: 1200 };

/** No file, a link, one that is not for everybody. */
const NOT_TO_BE_READ = ['ENOENT', 'ELOOP', 'EACCES'];

/**
 * How often the timer of a kernel ticks, as the configuration says that distributions put beside its image, `config-<release>`.
 * Undefined where there is none, or none that can be relied on: it only spares emulated guests some time.
 */
export async function readTimerHz(imagePath: string, release: string): Promise<number | undefined> {
  const text = await readBounded(`${dirname(imagePath)}/config-${release}`);
  const hz = Number(/^CONFIG_HZ=(\d+)$/m.exec(text)?.[1]);
  return hz >= TIMER_HZ.least && hz <= TIMER_HZ.most ? hz : undefined;
}

async function readBounded(path: string): Promise<string> {
  try {
    // A package may have been made by anybody: no link leads out of it, and no pipe keeps anybody waiting.
    await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stat = await file.stat();
    return stat.isFile() && stat.size <= MAX_CONFIG_BYTES ? await file.readFile('latin1') : '';
  } catch (error) {
    if (NOT_TO_BE_READ.includes(systemErrorCode(error) ?? '')) return '';
    throw error;
  }
}
