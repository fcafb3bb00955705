import { join } from 'node:path';
import { isTimeout, withTimeout, type Abortable } from '#base/abort.ts';
import { messageOf } from '#base/errors.ts';
import { UserError } from '#contract/errors.ts';
import type { KvmOverride } from '#host/capabilities.ts';
import { pathExists } from '#host/files.ts';
import { isAlive, signalProcess, waitForProcessExit, type ProcessIdentity } from '#host/proc.ts';
import { CommandError, runCommand } from '#host/run-command.ts';
import type {
  DiskSize,
  Hypervisor,
  HypervisorSupport,
  Machine,
  MachineConfig,
  MachineStatus,
} from '../hypervisor.ts';
import { chooseAccelerator, tscFrequencyFor, usesSmallPages } from './accelerator.ts';
import { getArchitecture, type QemuArchitecture } from './architecture.ts';
import { qemuArguments, type QemuHost } from './command-line.ts';
import { findQemuProcess, listQemuProcesses } from './find-process.ts';
import { hypervisorMissing, launchQemu } from './launch.ts';
import { keeperPathsOf, waitForLogKeeper } from './log-keeper.ts';
import { readLog, removeMachineFiles } from './machine-files.ts';
import { machinePaths } from './machine-paths.ts';
import { ensureConsoleLog, requireKernel } from './boot-files.ts';
import { QmpConnections } from './qmp-connections.ts';
import { queryStatus } from './query-status.ts';
import { QmpConnectionError, type QmpClient } from './qmp.ts';
import { resizeDisk } from './resize-disk.ts';
import { waitForMachineExit } from './wait-for-exit.ts';

export interface QemuOptions {
  /** The program that measures the host's clock, `native/build/tsc-khz`. */
  tscHelperPath: string;
  /** The program that starts QEMU and keeps its words, `native/build/log-keeper`. */
  logKeeperPath: string;
  /** Where its result is kept; exists. */
  cacheDir: string;
  kvmOverride?: KvmOverride | undefined;
  /** Default the architecture's name, looked up in PATH. */
  binary?: string | undefined;
  /** How long QEMU may take until it answers: default 30 s, for a host that is very busy. */
  startTimeoutMs?: number | undefined;
}

interface MachineAction {
  /** Continues "Cannot …". */
  action: string;
  run(client: QmpClient): Promise<unknown>;
}

type MachineKey = Pick<MachineConfig, 'id' | 'runtimeDir'>;

const VERSION_TIMEOUT_MS = 10_000;
const ENDING_MS = 2000;
const START_TIMEOUT_MS = 30_000;

/** Driver: QEMU's microvm machine, hardware-accelerated where that works, emulated everywhere else. */
export class QemuHypervisor implements Hypervisor {
  readonly name = 'qemu';
  readonly #options: QemuOptions;
  readonly #architecture: QemuArchitecture;
  readonly #binary: string;
  readonly #connections = new QmpConnections();
  #version: string | undefined;
  #host: QemuHost | undefined;

  constructor(options: QemuOptions) {
    this.#options = options;
    this.#architecture = getArchitecture(process.arch);
    this.#binary = options.binary ?? this.#architecture.binary;
  }

  async probe({ signal }: Abortable = {}): Promise<HypervisorSupport> {
    this.#version ??= await this.#readVersion(signal);
    return { version: this.#version, ...(await chooseAccelerator(this.#options.kvmOverride)) };
  }

  async launch(config: MachineConfig, options: Abortable = {}): Promise<Machine> {
    await requireKernel(config, this.#architecture);
    await ensureConsoleLog(config.consoleLogPath);
    const host = (this.#host ??= await this.#describeHost(options));
    return launchQemu(
      {
        id: config.id,
        keeperPath: this.#options.logKeeperPath,
        binary: this.#binary,
        packageName: this.#architecture.packageName,
        args: qemuArguments(config, host),
        smallPages: usesSmallPages(host.accelerator),
        paths: machinePaths(config.runtimeDir),
        consoleLogPath: config.consoleLogPath,
        startTimeoutMs: this.#options.startTimeoutMs ?? START_TIMEOUT_MS,
      },
      options,
    );
  }

  async findMachine({ id, runtimeDir }: MachineKey): Promise<Machine | undefined> {
    const process = await findQemuProcess(id, runtimeDir);
    return process && machineAt(runtimeDir, process);
  }

  async listMachines(folder: string): Promise<(Machine & { id: string })[]> {
    const found = await listQemuProcesses(folder);
    return found.map(({ id, process }) => ({ id, ...machineAt(join(folder, id), process) }));
  }

  async status(machine: Machine, options: Abortable = {}): Promise<MachineStatus> {
    return (await this.#ask(machine, (client) => queryStatus(client, options), options)) ?? 'gone';
  }

  async pause(machine: Machine, options: Abortable = {}): Promise<void> {
    await this.#command(machine, 'stop', options);
  }

  async resume(machine: Machine, options: Abortable = {}): Promise<void> {
    await this.#command(machine, 'cont', options);
  }

  async resizeDisk(machine: Machine, disk: DiskSize, options: Abortable = {}): Promise<void> {
    const run = (client: QmpClient) => resizeDisk(client, disk, options);
    await this.#act(machine, { action: 'resize a disk of', run }, options);
  }

  async waitForExit(machine: Machine, options: Abortable = {}): Promise<void> {
    await waitForMachineExit(machine, this.#connections, options);
    await waitForLogKeeper(keeperPathsOf(machine));
  }

  async kill(machine: Machine, { signal }: Abortable = {}): Promise<void> {
    await signalProcess(machine.process, 'SIGKILL');
    await waitForProcessExit(machine.process, { signal, maxMs: 10 });
    await waitForLogKeeper(keeperPathsOf(machine));
  }

  async cleanUp({ runtimeDir }: MachineKey): Promise<void> {
    await removeMachineFiles(machinePaths(runtimeDir));
  }

  async diagnostics({ runtimeDir }: MachineKey): Promise<string> {
    return readLog(machinePaths(runtimeDir));
  }

  async #command(machine: Machine, command: string, options: Abortable): Promise<void> {
    const run = (client: QmpClient) => client.execute(command, {}, options);
    await this.#act(machine, { action: command, run }, options);
  }

  async #act(machine: Machine, { action, run }: MachineAction, options: Abortable): Promise<void> {
    const done = async (client: QmpClient) => {
      await run(client);
      return true;
    };
    if (await this.#ask(machine, done, options)) return;
    const { pid } = machine.process;
    throw new UserError('MACHINE_DIED', `Cannot ${action} the machine of process ${pid}: it has ended`);
  }

  /** What the machine answers, undefined when it is gone. */
  async #ask<T>(
    machine: Machine,
    question: (client: QmpClient) => Promise<T>,
    options: Abortable,
  ): Promise<T | undefined> {
    if (!(await isAlive(machine.process))) return undefined;
    try {
      return await this.#connections.use(machine.controlSocketPath, question, options);
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!(error instanceof QmpConnectionError) && !isTimeout(error)) throw error;
      if (await hasEnded(machine, options)) return undefined;
      throw new UserError(
        'MACHINE_NOT_ANSWERING',
        `Cannot reach the machine of process ${machine.process.pid}: ${messageOf(error)}`,
        { hint: 'banger vm stop --timeout 0 ends it without asking', cause: error },
      );
    }
  }

  async #describeHost({ signal }: Abortable): Promise<QemuHost> {
    const architecture = this.#architecture;
    const { accelerator } = await chooseAccelerator(this.#options.kvmOverride);
    const source = { helperPath: this.#options.tscHelperPath, cacheDir: this.#options.cacheDir, signal };
    const tscKHz = await tscFrequencyFor(architecture, accelerator, source);
    return { architecture, accelerator, tscKHz, sandbox: await pathExists('/proc/sys/kernel/seccomp') };
  }

  async #readVersion(signal: AbortSignal | undefined): Promise<string> {
    try {
      const { stdout } = await runCommand(this.#binary, ['--version'], {
        signal,
        timeoutMs: VERSION_TIMEOUT_MS,
      });
      return /version (\S+)/.exec(stdout)?.[1] ?? 'unknown';
    } catch (error) {
      if (!(error instanceof CommandError) || error.systemCode !== 'ENOENT') throw error;
      throw hypervisorMissing(this.#binary, this.#architecture.packageName, error);
    }
  }
}

function machineAt(runtimeDir: string, process: ProcessIdentity): Machine {
  const { agentSocket, qmpSocket } = machinePaths(runtimeDir);
  return { process, guestSocketPath: agentSocket, controlSocketPath: qmpSocket };
}

/** A machine that ends closes its sockets a moment before it is gone. */
async function hasEnded(machine: Machine, { signal }: Abortable): Promise<boolean> {
  try {
    await waitForProcessExit(machine.process, { signal: withTimeout(ENDING_MS, signal) });
    return true;
  } catch (error) {
    signal?.throwIfAborted();
    if (!isTimeout(error)) throw error;
    return false;
  }
}
