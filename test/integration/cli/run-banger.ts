import { join } from 'node:path';
import { runProcess, type ProcessOptions, type ProcessResult } from '../../support/run-process.ts';

export const BANGER = join(import.meta.dirname, '../../../src/bin/banger.ts');

/** Where a command line finds its daemon. */
export interface DaemonPlace {
  readonly env: NodeJS.ProcessEnv;
}

/** Runs the real command line against a daemon of the test's. */
export function runBanger(
  daemon: DaemonPlace,
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<ProcessResult> {
  return runProcess(process.execPath, [BANGER, ...args], {
    ...options,
    env: { ...daemon.env, ...options.env },
  });
}
