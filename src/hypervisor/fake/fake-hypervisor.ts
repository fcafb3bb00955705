import { access, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isTimeout, raceAbort, withTimeout, type Abortable } from '#base/abort.ts';
import { pollUntil } from '#base/backoff.ts';
import { systemErrorCode } from '#base/errors.ts';
import { isVmId } from '#base/ids.ts';
import { UserError } from '#contract/errors.ts';
import { pathExists, readFileIfThere } from '#host/files.ts';
import {
  commandLineOf,
  findProcess,
  findProcessesByCommandLine,
  isAlive,
  matchProcesses,
  signalProcess,
  waitForProcessExit,
} from '#host/proc.ts';
import { spawnDetached, type DetachedProcess } from '#host/spawn-detached.ts';
import type {
  DiskSize,
  Hypervisor,
  HypervisorSupport,
  Machine,
  MachineConfig,
  MachineStatus,
} from '../hypervisor.ts';
import { fakeMachineName, fakeMachinePlanSchema, type FakeMachinePlan } from './fake-machine-plan.ts';
import { resizeFakeDisk } from './resize-fake-disk.ts';

/** What is to go wrong with the machines that are launched. */
export type FakeFault =
  | { kind: 'dies-at-start'; stderr: string }
  | { kind: 'starts-slowly'; delayMs: number }
  | { kind: 'never-answers' }
  | { kind: 'lifeless-at-first'; launches: number }
  | { kind: 'ends-by-itself'; afterMs: number };

export interface FakeHypervisorOptions {
  /** Module that is the machine's process: reads a {@link FakeMachinePlan}, serves the guest socket, ends on power-off. */
  machineProgram: string;
  fault?: FakeFault | undefined;
}

type MachineKey = Pick<MachineConfig, 'id' | 'runtimeDir'>;

const START_TIMEOUT_MS = 30_000;

/**
 * Machines that are small processes: they have pids, outlive whoever launched them and can be found and killed, but have
 * no kernel and no disks. A paused one is a stopped process, so pausing too outlives the launcher.
 */
export class FakeHypervisor implements Hypervisor {
  readonly name = 'fake';
  /** For the launches to come. */
  fault: FakeFault | undefined;
  readonly #machineProgram: string;
  readonly #launches = new Map<string, number>();

  constructor(options: FakeHypervisorOptions) {
    this.#machineProgram = options.machineProgram;
    this.fault = options.fault;
  }

  async probe(): Promise<HypervisorSupport> {
    return { version: '0.0-fake', accelerator: 'tcg', reason: 'machines are pretended' };
  }

  async launch(config: MachineConfig, { signal }: Abortable = {}): Promise<Machine> {
    signal?.throwIfAborted();
    await this.cleanUp(config);
    await this.#requireFiles(config);
    const plan = JSON.stringify(this.#planFor(config));
    const args = [this.#machineProgram, fakeMachineName(config.id), config.runtimeDir, plan];
    const child = await spawnDetached(process.execPath, args, { logPath: logPath(config) });
    try {
      await waitForGuestSocket(config, child, signal);
    } catch (error) {
      await signalProcess(child.identity, 'SIGKILL');
      await waitForProcessExit(child.identity);
      const stderr = await this.diagnostics(config);
      await this.cleanUp(config);
      signal?.throwIfAborted();
      if (!(error instanceof EndedAtStartError) && !isTimeout(error)) throw error;
      throw startFailed(config, stderr);
    }
    return machineAt(config, child.identity);
  }

  async findMachine(key: MachineKey): Promise<Machine | undefined> {
    const name = fakeMachineName(key.id);
    const [process] = await findProcessesByCommandLine(
      (argv) => argv.includes(name) && argv.includes(key.runtimeDir),
    );
    return process && machineAt(key, process);
  }

  async listMachines(folder: string): Promise<(Machine & { id: string })[]> {
    const found = await matchProcesses((argv) => {
      const name = argv.find((word) => word.startsWith(fakeMachineName(''))) ?? '';
      const id = name.slice(fakeMachineName('').length);
      return isVmId(id) && argv.includes(join(folder, id)) ? id : undefined;
    });
    return found.map(({ process, value: id }) => ({
      id,
      ...machineAt({ id, runtimeDir: join(folder, id) }, process),
    }));
  }

  async status(machine: Machine): Promise<MachineStatus> {
    if (!(await isAlive(machine.process))) return 'gone';
    const stat = await findProcess(machine.process.pid);
    return stat?.state === 'T' ? 'paused' : 'running';
  }

  async pause(machine: Machine, options: Abortable = {}): Promise<void> {
    await this.#setRunning(machine, false, options);
  }

  async resume(machine: Machine, options: Abortable = {}): Promise<void> {
    await this.#setRunning(machine, true, options);
  }

  async resizeDisk(machine: Machine, disk: DiskSize, { signal }: Abortable = {}): Promise<void> {
    if (!(await isAlive(machine.process))) throw hasEnded(machine);
    const words = await commandLineOf(machine.process.pid);
    const plan = fakeMachinePlanSchema.parse(JSON.parse(words.at(-1) ?? ''));
    await resizeFakeDisk(plan.disks, disk, { signal });
  }

  async waitForExit(machine: Machine, { signal }: Abortable = {}): Promise<void> {
    await waitForProcessExit(machine.process, { signal, maxMs: 20 });
  }

  async kill(machine: Machine, options: Abortable = {}): Promise<void> {
    await signalProcess(machine.process, 'SIGKILL');
    await this.waitForExit(machine, options);
  }

  async cleanUp(key: MachineKey): Promise<void> {
    await Promise.all([rm(guestSocketPath(key), { force: true }), rm(logPath(key), { force: true })]);
  }

  async diagnostics(key: MachineKey): Promise<string> {
    return (await readFileIfThere(logPath(key)))?.trim() ?? '';
  }

  /** What a real machine opens has to be there. */
  async #requireFiles(config: MachineConfig): Promise<void> {
    for (const path of [config.kernelPath, config.initramfsPath, ...config.disks.map((disk) => disk.path)]) {
      try {
        await access(path);
      } catch (error) {
        throw startFailed(config, `Could not open '${path}': ${systemErrorCode(error)}`);
      }
    }
  }

  #planFor(config: MachineConfig): FakeMachinePlan {
    const { fault } = this;
    const launches = (this.#launches.get(config.id) ?? 0) + 1;
    this.#launches.set(config.id, launches);
    const isLifeless = fault?.kind === 'lifeless-at-first' && launches <= fault.launches;
    return {
      id: config.id,
      guestSocketPath: guestSocketPath(config),
      consoleLogPath: config.consoleLogPath,
      disks: config.disks.map(({ serial, path, format }) => ({ serial, path, format })),
      startDelayMs: fault?.kind === 'starts-slowly' ? fault.delayMs : 0,
      isSilent: fault?.kind === 'never-answers' || isLifeless,
      isLifeless,
      ...(fault?.kind === 'dies-at-start' && { startError: fault.stderr }),
      ...(fault?.kind === 'ends-by-itself' && { endsAfterMs: fault.afterMs }),
    };
  }

  async #setRunning(machine: Machine, isRunning: boolean, { signal }: Abortable): Promise<void> {
    if (!(await signalProcess(machine.process, isRunning ? 'SIGCONT' : 'SIGSTOP'))) {
      throw hasEnded(machine);
    }
    const wanted: MachineStatus = isRunning ? 'running' : 'paused';
    await pollUntil(async () => ((await this.status(machine)) === wanted ? true : undefined), { signal });
  }
}

class EndedAtStartError extends Error {}

async function waitForGuestSocket(
  key: MachineKey,
  child: DetachedProcess,
  signal: AbortSignal | undefined,
): Promise<void> {
  const ended = new AbortController();
  void child.exited.then(() => ended.abort(new EndedAtStartError('the machine ended at once')));
  const bound = withTimeout(START_TIMEOUT_MS, signal, ended.signal);
  const isThere = async () => ((await pathExists(guestSocketPath(key))) ? true : undefined);
  await raceAbort(pollUntil(isThere, { signal: bound, maxMs: 10 }), bound);
}

function startFailed(config: MachineConfig, stderr: string): UserError {
  return new UserError(
    'MACHINE_START_FAILED',
    `Cannot start machine "${config.id}": ${stderr.split('\n').at(-1)}`,
    {
      details: { stderr },
    },
  );
}

function hasEnded({ process }: Machine): UserError {
  return new UserError('MACHINE_DIED', `Cannot reach the machine of process ${process.pid}: it has ended`);
}

function machineAt(key: MachineKey, process: Machine['process']): Machine {
  const path = guestSocketPath(key);
  return { process, guestSocketPath: path, controlSocketPath: path };
}

function guestSocketPath({ runtimeDir }: MachineKey): string {
  return join(runtimeDir, 'agent.sock');
}

function logPath({ runtimeDir }: MachineKey): string {
  return join(runtimeDir, 'fake-machine.log');
}
