import { open, rm } from 'node:fs/promises';
import { systemErrorCode } from '#base/errors.ts';
import type { MachinePaths } from './machine-paths.ts';

const LOG_TAIL_BYTES = 16 * 1024;

/** Removes what a machine leaves in its runtime folder. */
export async function removeMachineFiles(paths: MachinePaths): Promise<void> {
  await Promise.all(Object.values(paths).map((path: string) => rm(path, { force: true })));
}

/** The end of what QEMU printed, empty when it printed nothing. */
export async function readLog(paths: MachinePaths): Promise<string> {
  try {
    await using log = await open(paths.log, 'r');
    const { size } = await log.stat();
    const position = Math.max(0, size - LOG_TAIL_BYTES);
    const { buffer, bytesRead } = await log.read({ buffer: Buffer.alloc(LOG_TAIL_BYTES), position });
    return buffer.toString('utf8', 0, bytesRead).trim();
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return '';
    throw error;
  }
}
