import { join } from 'node:path';
import { isVmId } from '#base/ids.ts';
import { readFileIfThere } from '#host/files.ts';
import {
  commandLineOf,
  findProcess,
  findProcessesByCommandLine,
  isOwnProcess,
  matchProcesses,
  type ProcessIdentity,
} from '#host/proc.ts';
import { machineName } from './command-line.ts';
import { machinePaths } from './machine-paths.ts';

/**
 * The QEMU process of a VM, when it runs. The pid file says where to look first, the command line says what it really is:
 * the pid may have been used again, and QEMU may have been started but not have come to its pid file yet.
 */
export async function findQemuProcess(id: string, runtimeDir: string): Promise<ProcessIdentity | undefined> {
  const { pidFile } = machinePaths(runtimeDir);
  const isMachine = (argv: readonly string[]) =>
    hasOption(argv, '-name', machineName(id)) && hasOption(argv, '-pidfile', pidFile);
  const recorded = await readPidFile(pidFile);
  if (recorded !== undefined && isMachine(await commandLineOf(recorded))) {
    const stat = await findProcess(recorded);
    if (stat) return { pid: stat.pid, startTicks: stat.startTicks };
  }
  const found = await findProcessesByCommandLine(isMachine);
  return (await keepOwn(found.map((process) => ({ process }))))[0]?.process;
}

/** The QEMU processes of all VMs whose runtime folders lie in `folder`. */
export async function listQemuProcesses(folder: string): Promise<{ id: string; process: ProcessIdentity }[]> {
  const found = await matchProcesses((argv) => {
    const name = argv[argv.indexOf('-name') + 1] ?? '';
    const id = name.slice(machineName('').length);
    const { pidFile } = machinePaths(join(folder, id));
    return isVmId(id) && name === machineName(id) && hasOption(argv, '-pidfile', pidFile) ? id : undefined;
  });
  return keepOwn(found.map(({ process, value }) => ({ id: value, process })));
}

async function keepOwn<T extends { process: ProcessIdentity }>(found: readonly T[]): Promise<T[]> {
  const own = await Promise.all(
    found.map(async (one) => ((await isOwnProcess(one.process.pid)) ? [one] : [])),
  );
  return own.flat();
}

async function readPidFile(path: string): Promise<number | undefined> {
  const text = (await readFileIfThere(path))?.trim() ?? '';
  return /^[1-9]\d*$/.test(text) ? Number(text) : undefined;
}

function hasOption(argv: readonly string[], name: string, value: string): boolean {
  return argv.some((argument, index) => argument === name && argv[index + 1] === value);
}
