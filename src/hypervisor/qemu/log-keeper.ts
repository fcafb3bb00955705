import { dirname } from 'node:path';
import { isTimeout, withTimeout } from '#base/abort.ts';
import { KiB, MiB } from '#base/sizes.ts';
import { readFileIfThere } from '#host/files.ts';
import {
  commandLineOf,
  findProcess,
  isAlive,
  signalProcess,
  waitForProcessExit,
  type ProcessIdentity,
} from '#host/proc.ts';
import type { Machine } from '../hypervisor.ts';
import { machinePaths, type MachinePaths } from './machine-paths.ts';

/** Of each file; there is one older one beside it. */
const MAX_CONSOLE_BYTES = 8 * MiB;
const MAX_LOG_BYTES = 256 * KiB;
/** It needs milliseconds, unless its disk hangs or something else holds its pipe. */
const MAX_WAIT_MS = 5000;

export interface KeptCommand {
  /** The program and its arguments. What it writes to descriptor 3 is the console. */
  argv: readonly string[];
  /** Without huge pages, whatever it asks for. */
  smallPages: boolean;
}

/** Arguments of the log keeper, which becomes `command`. */
export function keptArguments(paths: MachinePaths, consoleLogPath: string, command: KeptCommand): string[] {
  return [
    paths.keeperPidFile,
    ...[consoleLogPath, String(MAX_CONSOLE_BYTES)],
    ...[paths.log, String(MAX_LOG_BYTES)],
    ...(command.smallPages ? ['--small-pages'] : []),
    ...command.argv,
  ];
}

/** Resolves when everything that a machine which is gone has written is in its files, and nobody writes there any more. */
export async function waitForLogKeeper(paths: MachinePaths): Promise<void> {
  const keeper = await findKeeper(paths);
  if (!keeper) return;
  try {
    await waitForProcessExit(keeper, { signal: withTimeout(MAX_WAIT_MS), maxMs: 10 });
  } catch (error) {
    if (!isTimeout(error)) throw error;
    await signalProcess(keeper, 'SIGKILL');
  }
}

/** The keeper of a machine that is gone; one whose machine runs is another machine's. */
async function findKeeper(paths: MachinePaths): Promise<ProcessIdentity | undefined> {
  const pid = readPid((await readFileIfThere(paths.keeperPidFile)) ?? '');
  const keeper = pid === undefined ? undefined : await findProcess(pid);
  if (!keeper) return undefined;
  const [, mode, program = '', ...files] = await commandLineOf(keeper.pid);
  if (mode !== '--keep' || !files.includes(paths.log)) return undefined;
  const machine = await findProcess(readPid(program) ?? 0);
  return machine && (await isAlive(machine)) ? undefined : keeper;
}

function readPid(text: string): number | undefined {
  return /^[1-9]\d*$/.test(text.trim()) ? Number(text) : undefined;
}

export function keeperPathsOf(machine: Machine): MachinePaths {
  return machinePaths(dirname(machine.controlSocketPath));
}
