import { rm } from 'node:fs/promises';
import { readTail } from '#host/read-tail.ts';
import type { MachinePaths } from './machine-paths.ts';

const LOG_TAIL_BYTES = 16 * 1024;

/** Removes what a machine leaves in its runtime folder. */
export async function removeMachineFiles(paths: MachinePaths): Promise<void> {
  await Promise.all(Object.values(paths).map((path: string) => rm(path, { force: true })));
}

/** The end of what QEMU printed, empty when it printed nothing. */
export async function readLog(paths: MachinePaths): Promise<string> {
  return (await readTail(paths.log, LOG_TAIL_BYTES)).trim();
}
