import { join } from 'node:path';
import { runProcess, type ProcessOptions, type ProcessResult } from '../../support/run-process.ts';
import type { ScriptedDaemon } from './scripted-daemon.ts';

export const BANGER = join(import.meta.dirname, '../../../src/bin/banger.ts');

/** Runs the real command line against the scripted daemon. */
export function runBanger(
  daemon: ScriptedDaemon,
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<ProcessResult> {
  return runProcess(process.execPath, [BANGER, ...args], {
    ...options,
    env: { ...daemon.env, ...options.env },
  });
}
