import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Abortable } from '#base/abort.ts';
import type { Clock } from '#base/clock.ts';
import { UserError, isUserError } from '#contract/errors.ts';
import type { Layout } from '#contract/layout.ts';
import type { DiskDriver, RootDisk } from '#disk/disk.ts';
import { ensurePrivateFolder } from '#host/files.ts';
import { isAlive } from '#host/proc.ts';
import type { Hypervisor, Machine, MachineConfig } from '#hypervisor/hypervisor.ts';
import type { NetworkAttachment, NetworkDriver } from '#network/network.ts';
import type { VmRecord } from '#store/vm-repository.ts';
import type { OperationContext } from '../operation/operations.ts';
import type { AgentSessions } from './agent-sessions.ts';
import { consoleSize, firstBootSign, type BootSign } from './boot-watch.ts';
import { readTail } from './console-tail.ts';
import { MODULES_DISK_SERIAL, ROOT_DISK_SERIAL, guestCommandLine } from './guest-command-line.ts';
import type { HandleCache } from './handles.ts';
import { runAll, type Step } from './run-steps.ts';

export interface Drivers {
  hypervisor: Hypervisor;
  disk: DiskDriver;
  network: NetworkDriver;
}

/** The files of a kernel that a machine boots. */
export interface KernelFiles {
  kernelPath: string;
  uncompressedKernelPath?: string | undefined;
  modulesDiskPath: string;
  initramfsPath: string;
}

export interface MachineRunnerOptions {
  drivers: Drivers;
  handles: HandleCache;
  sessions: AgentSessions;
  layout: Layout;
  clock: Clock;
  /** How long a guest may take until its agent answers. */
  agentTimeoutMs: number;
  /** How long a guest may take until its kernel prints something. */
  lifelessAfterMs: number;
}

/** What the steps of a start are given, and what they leave behind. */
export interface StartParts {
  kernel: () => Promise<KernelFiles>;
  /** Known when it was made just now; otherwise it is looked for. */
  disk?: RootDisk;
  /** Size of the console's log when the machine was launched. */
  consoleBytes?: number;
  /** Set by the last step when the guest runs but does not answer: the VM is kept. */
  notAnswering?: UserError;
}

interface Boot {
  context: OperationContext;
  relaunch: () => Promise<void>;
}

const CONSOLE_TAIL_BYTES = 2048;
const MAX_LAUNCHES = 3;

/** Turns a VM's record and files into a running machine, and back. Knows nothing of states or locks. */
export class MachineRunner {
  readonly #options: MachineRunnerOptions;

  constructor(options: MachineRunnerOptions) {
    this.#options = options;
  }

  folderOf(id: string): string {
    return join(this.#options.layout.vmsDir, id);
  }

  runtimeFolderOf(id: string): string {
    return join(this.#options.layout.runtimeDir, 'vm', id);
  }

  consoleLogPath(id: string): string {
    return join(this.folderOf(id), 'console.log');
  }

  /** Steps that bring the machine up; each undoes itself. */
  startSteps(vm: VmRecord, parts: StartParts): Step[] {
    const place = this.#placeOf(vm.id);
    let attachment: NetworkAttachment | undefined;
    const attach = async ({ signal }: OperationContext) => {
      attachment = await this.#attachNetwork(vm, signal);
    };
    const launch = async ({ signal }: OperationContext) => {
      const config = this.#machineConfig(vm, await parts.kernel(), parts.disk as RootDisk, attachment);
      parts.consoleBytes = await consoleSize(config.consoleLogPath);
      await this.#launch(config, signal);
    };
    return [
      {
        name: 'prepare-runtime',
        run: async () => {
          await ensurePrivateFolder(place.runtimeDir);
          parts.disk ??= await this.#rootDiskOf(vm);
        },
        undo: () => rm(place.runtimeDir, { recursive: true, force: true }),
      },
      {
        name: 'start-network',
        run: (context) => attach(context),
        undo: () => this.#detachNetwork(vm.id),
      },
      {
        name: 'launch-machine',
        run: (context) => launch(context),
        undo: () => this.#removeMachine(vm.id),
      },
      {
        name: 'wait-for-agent',
        run: (context) => {
          const relaunch = async () => {
            await attach(context);
            await launch(context);
          };
          return this.#waitForAgent(vm, parts, { context, relaunch });
        },
        undo: async () => this.#options.sessions.close(vm.id),
      },
    ];
  }

  /** The machine of this VM if it runs, found by its handle or, where that is lost, in the kernel. */
  async findMachine(id: string): Promise<Machine | undefined> {
    const { hypervisor } = this.#options.drivers;
    const known = this.#options.handles.get(id).machine;
    // Not asked of the machine itself: one that hangs is there all the same.
    if (known && (await isAlive(known.process))) return known;
    return hypervisor.findMachine(this.#placeOf(id));
  }

  /** Takes a running machine over: after this the VM is as if this daemon had launched it. */
  async adopt(id: string, machine: Machine): Promise<void> {
    const handles = this.#options.handles.get(id);
    const carrier = await this.#options.drivers.network.findAttachment(this.#placeOf(id));
    const network = handles.network ?? undefined;
    await this.#options.handles.set(id, {
      machine,
      ...(network && { network: { ...network, ...(carrier && { process: carrier }) } }),
    });
    this.connect(id);
  }

  connect(id: string): void {
    const machine = this.#options.handles.get(id).machine;
    if (machine) this.#options.sessions.open(id, machine.guestSocketPath);
  }

  /** Resolves when the VM's machine is gone. */
  async waitForExit(id: string, options: Abortable): Promise<void> {
    const machine = this.#options.handles.get(id).machine;
    if (machine) await this.#options.drivers.hypervisor.waitForExit(machine, options);
  }

  /** Ends whatever runs for this VM and removes what only a running VM has. Idempotent; tries every part. */
  async tearDown(id: string): Promise<void> {
    const place = this.#placeOf(id);
    this.#options.sessions.close(id);
    await runAll(
      [
        () => this.#removeMachine(id),
        () => this.#detachNetwork(id),
        () => this.#options.handles.clear(id),
        () => rm(place.runtimeDir, { recursive: true, force: true }),
      ],
      `Cannot take down VM ${id}`,
    );
  }

  /** Removes the disk and the folder of a VM that does not run. Idempotent. */
  async removeFiles(id: string): Promise<void> {
    await runAll(
      [
        () => this.#options.drivers.disk.removeRootDisk(this.folderOf(id)),
        () => rm(this.folderOf(id), { recursive: true, force: true }),
      ],
      `Cannot remove the files of VM ${id}`,
    );
  }

  async #attachNetwork(vm: VmRecord, signal: AbortSignal): Promise<NetworkAttachment | undefined> {
    if (vm.spec.network === 'none') return undefined;
    const attachment = await this.#options.drivers.network.attach(this.#placeOf(vm.id), { signal });
    const { process, guest } = attachment;
    await this.#options.handles.set(vm.id, {
      network: { ...(process && { process }), guest: { ...guest, dns: [...guest.dns] } },
    });
    return attachment;
  }

  async #detachNetwork(id: string): Promise<void> {
    await this.#options.drivers.network.detach(
      this.#placeOf(id),
      this.#options.handles.get(id).network?.process,
    );
  }

  async #launch(config: MachineConfig, signal: AbortSignal): Promise<void> {
    const machine = await this.#options.drivers.hypervisor.launch(config, { signal });
    await this.#options.handles.set(config.id, { ...this.#options.handles.get(config.id), machine });
  }

  async #removeMachine(id: string): Promise<void> {
    const { hypervisor } = this.#options.drivers;
    const machine = await this.findMachine(id);
    if (machine) await hypervisor.kill(machine);
    await hypervisor.cleanUp(this.#placeOf(id));
  }

  async #rootDiskOf(vm: VmRecord): Promise<RootDisk> {
    const disk = await this.#options.drivers.disk.findRootDisk(this.folderOf(vm.id));
    if (disk) return disk;
    throw new UserError('DISK_DAMAGED', `Cannot start "${vm.name}": its disk is missing`, {
      hint: `what was on it is lost; remove the VM: banger vm delete ${vm.name}`,
    });
  }

  /**
   * An emulated kernel hangs before its first word once in some hundred boots on a busy host. Such a machine has done nothing yet,
   * so it is launched again, and the user is told.
   */
  async #waitForAgent(vm: VmRecord, parts: StartParts, boot: Boot): Promise<void> {
    const { signal, log } = boot.context;
    for (let launches = 1; ; launches += 1) {
      const sign = await this.#firstSign(vm, parts, { signal, isLast: launches === MAX_LAUNCHES });
      if (sign === 'exited') throw await this.#died(vm);
      if (sign !== 'lifeless') return;
      log.warn({ vm: vm.id, launches }, 'the guest shows no sign of life: launching it again');
      boot.context.detail('the guest showed no sign of life, starting it again');
      this.#options.sessions.close(vm.id);
      await this.#removeMachine(vm.id);
      await this.#detachNetwork(vm.id);
      await boot.relaunch();
    }
  }

  async #firstSign(
    vm: VmRecord,
    parts: StartParts,
    { signal, isLast }: { signal: AbortSignal; isLast: boolean },
  ): Promise<BootSign> {
    this.connect(vm.id);
    const { sessions, agentTimeoutMs, lifelessAfterMs } = this.#options;
    try {
      return await firstBootSign(
        {
          answered: (bound) => sessions.get(vm.id, agentTimeoutMs, { signal: bound }),
          exited: (bound) => this.waitForExit(vm.id, { signal: bound }),
          consolePath: this.consoleLogPath(vm.id),
          consoleBytes: parts.consoleBytes ?? 0,
          lifelessAfterMs: isLast ? undefined : lifelessAfterMs,
        },
        signal,
      );
    } catch (error) {
      if (!isUserError(error, 'GUEST_NOT_ANSWERING')) throw error;
      parts.notAnswering = await this.#withConsole(error, vm);
      return 'answered';
    }
  }

  async #died(vm: VmRecord): Promise<UserError> {
    const stderr = await this.#options.drivers.hypervisor.diagnostics(this.#placeOf(vm.id));
    const error = new UserError(
      'MACHINE_DIED',
      `Cannot start "${vm.name}": its machine ended while the guest booted`,
      {
        hint: 'the console says why',
        details: { stderr },
      },
    );
    return this.#withConsole(error, vm);
  }

  async #withConsole(error: UserError, vm: VmRecord): Promise<UserError> {
    const consoleTail = await readTail(this.consoleLogPath(vm.id), CONSOLE_TAIL_BYTES);
    return new UserError(error.code, error.message, {
      hint: error.hint?.replace('VM', vm.name),
      details: { ...error.details, consoleTail },
      cause: error,
    });
  }

  #placeOf(id: string): { id: string; runtimeDir: string } {
    return { id, runtimeDir: this.runtimeFolderOf(id) };
  }

  #machineConfig(
    vm: VmRecord,
    kernel: KernelFiles,
    disk: RootDisk,
    attachment: NetworkAttachment | undefined,
  ): MachineConfig {
    return {
      ...this.#placeOf(vm.id),
      vcpus: vm.spec.vcpus,
      memoryMiB: vm.spec.memoryMiB,
      kernelPath: kernel.kernelPath,
      uncompressedKernelPath: kernel.uncompressedKernelPath,
      initramfsPath: kernel.initramfsPath,
      commandLine: guestCommandLine({
        hostname: vm.name,
        network: attachment?.guest,
        now: this.#options.clock.now(),
      }),
      disks: [
        { serial: ROOT_DISK_SERIAL, path: disk.path, format: disk.format, readOnly: false },
        { serial: MODULES_DISK_SERIAL, path: kernel.modulesDiskPath, format: 'raw', readOnly: true },
      ],
      ...(attachment && { network: { socketPath: attachment.socketPath, mac: attachment.guest.mac } }),
      consoleLogPath: this.consoleLogPath(vm.id),
    };
  }
}
