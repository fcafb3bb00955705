import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Abortable } from '#base/abort.ts';
import type { Clock } from '#base/clock.ts';
import { UserError } from '#contract/errors.ts';
import type { Layout } from '#contract/layout.ts';
import type { DiskDriver, RootDisk } from '#disk/disk.ts';
import { ensurePrivateFolder } from '#host/files.ts';
import { isAlive, signalProcess } from '#host/proc.ts';
import type { Hypervisor, Machine, MachineConfig } from '#hypervisor/hypervisor.ts';
import type { NetworkAttachment, NetworkDriver } from '#network/network.ts';
import type { VmRecord } from '#store/vm-repository.ts';
import type { OperationContext } from '../operation/operations.ts';
import type { AgentSessions } from './agent-sessions.ts';
import type { Capabilities } from './capabilities.ts';
import { BootWait, type BootParts } from './boot-wait.ts';
import { consoleSize } from './boot-watch.ts';
import { MODULES_DISK_SERIAL, ROOT_DISK_SERIAL, guestCommandLine } from './guest-command-line.ts';
import type { HandleCache, Launched } from './handles.ts';
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
  timerHz?: number | undefined;
  modulesDiskPath: string;
  initramfsPath: string;
}

export interface MachineRunnerOptions {
  drivers: Drivers;
  handles: HandleCache;
  sessions: AgentSessions;
  capabilities: Capabilities;
  layout: Layout;
  clock: Clock;
  /** How long a guest may take until its agent answers. */
  agentTimeoutMs: number;
  /** How long a guest may take until its kernel prints something. */
  lifelessAfterMs: number;
}

/** What the steps of a start are given, and what they leave behind. */
export interface StartParts extends BootParts {
  kernel: () => Promise<KernelFiles>;
  /** Known when it was made just now; otherwise it is looked for. */
  disk?: RootDisk;
}

interface LaunchParts {
  config: MachineConfig;
  attachment: NetworkAttachment | undefined;
}

/** Turns a VM's record and files into a running machine, and back. Knows nothing of states or locks. */
export class MachineRunner {
  readonly #options: MachineRunnerOptions;

  readonly #bootWait: BootWait;

  constructor(options: MachineRunnerOptions) {
    this.#options = options;
    const { sessions, agentTimeoutMs, lifelessAfterMs } = options;
    const { hypervisor } = options.drivers;
    this.#bootWait = new BootWait({
      sessions,
      agentTimeoutMs,
      lifelessAfterMs,
      connect: (id) => this.#connect(id, { isNewMachine: true }),
      waitForExit: (id, bound) => this.waitForExit(id, bound),
      consoleLogPath: (id) => this.consoleLogPath(id),
      diagnostics: (id) => hypervisor.diagnostics(this.#placeOf(id)),
    });
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
      await this.#launch(vm, { config, attachment }, signal);
    };
    const { capabilities } = this.#options;
    return [
      {
        name: 'prepare-runtime',
        run: async (context) => {
          await capabilities.checkStart(vm, context);
          await ensurePrivateFolder(place.runtimeDir);
          parts.disk = await this.#diskAsWide(parts.disk ?? (await this.#rootDiskOf(vm)), vm, context);
        },
        undo: () => this.#forgetMachine(vm.id),
      },
      {
        name: 'prepare-host',
        run: (context) => capabilities.prepareHost(vm, context),
        undo: () => capabilities.cleanUp(vm.id),
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
            await this.#abandonBoot(vm.id);
            await attach(context);
            await launch(context);
          };
          return this.#bootWait.forAgent(vm, parts, { context, relaunch });
        },
        undo: async () => this.#options.sessions.close(vm.id),
      },
      {
        name: 'after-start',
        run: (context) => capabilities.afterStart(vm, context),
        undo: () => capabilities.cleanUp(vm.id),
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

  /** Ids of the VMs whose machines run: one look at all processes, whatever the number of VMs. */
  async runningIds(): Promise<Set<string>> {
    const folder = join(this.#options.layout.runtimeDir, 'vm');
    const machines = await this.#options.drivers.hypervisor.listMachines(folder);
    return new Set(machines.map(({ id }) => id));
  }

  /** Takes a running machine over: after this the VM is as if this daemon had launched it. */
  async adopt(id: string, machine: Machine): Promise<void> {
    const handles = this.#options.handles.get(id);
    const carrier = await this.#options.drivers.network.findAttachment(this.#placeOf(id));
    const network = handles.network ?? undefined;
    await this.#options.handles.set(id, {
      ...(handles.launched && { launched: handles.launched }),
      machine,
      ...(network && { network: { ...network, ...(carrier && { process: carrier }) } }),
    });
    this.#connect(id, { isNewMachine: false });
  }

  /** Sends a signal to the process of the machine. Returns false when there is none. */
  async signalMachine(id: string, signal: NodeJS.Signals): Promise<boolean> {
    const machine = await this.findMachine(id);
    return machine !== undefined && signalProcess(machine.process, signal);
  }

  /** What the machine that runs has from now on. */
  async noteLaunched(id: string, change: Partial<Launched>): Promise<void> {
    const handles = this.#options.handles.get(id);
    if (!handles.launched) return;
    await this.#options.handles.set(id, { ...handles, launched: { ...handles.launched, ...change } });
  }

  #connect(id: string, { isNewMachine }: { isNewMachine: boolean }): void {
    const machine = this.#options.handles.get(id).machine;
    if (machine) this.#options.sessions.open(id, { socketPath: machine.guestSocketPath, isNewMachine });
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
        () => this.#options.capabilities.cleanUp(id),
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

  async #forgetMachine(id: string): Promise<void> {
    await rm(this.runtimeFolderOf(id), { recursive: true, force: true });
    await this.#options.handles.clear(id);
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

  /** While the machine starts, its network does too. */
  async #launch(vm: VmRecord, { config, attachment }: LaunchParts, signal: AbortSignal): Promise<void> {
    const { drivers, handles } = this.#options;
    const launching = drivers.hypervisor.launch(config, { signal });
    const [network, machine] = await Promise.allSettled([attachment?.ready, launching]);
    // A machine that found nothing to connect to says less than the network, which knows why it ended.
    if (network.status === 'rejected') throw network.reason;
    if (machine.status === 'rejected') throw machine.reason;
    await handles.set(vm.id, {
      ...handles.get(vm.id),
      machine: machine.value,
      launched: launchedSpec(vm),
    });
  }

  /** A disk that was to grow while nobody could do it grows now. */
  async #diskAsWide(disk: RootDisk, { spec }: VmRecord, { signal }: Abortable): Promise<RootDisk> {
    if (disk.sizeBytes >= spec.diskBytes) return disk;
    return this.#options.drivers.disk.growRootDisk(disk, spec.diskBytes, { signal });
  }

  async #abandonBoot(id: string): Promise<void> {
    this.#options.sessions.close(id);
    await this.#removeMachine(id);
    await this.#detachNetwork(id);
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

  #placeOf(id: string): { id: string; runtimeDir: string } {
    return { id, runtimeDir: this.runtimeFolderOf(id) };
  }

  #machineConfig(
    vm: VmRecord,
    kernel: KernelFiles,
    disk: RootDisk,
    attachment: NetworkAttachment | undefined,
  ): MachineConfig {
    return this.#options.capabilities.machineConfig(vm, {
      ...this.#placeOf(vm.id),
      vcpus: vm.spec.vcpus,
      memoryMiB: vm.spec.memoryMiB,
      kernelPath: kernel.kernelPath,
      uncompressedKernelPath: kernel.uncompressedKernelPath,
      timerHz: kernel.timerHz,
      initramfsPath: kernel.initramfsPath,
      commandLine: [
        ...guestCommandLine({
          hostname: vm.name,
          network: attachment?.guest,
          now: this.#options.clock.now(),
        }),
        ...this.#options.capabilities.guestWords(vm),
      ],
      disks: [
        { serial: ROOT_DISK_SERIAL, path: disk.path, format: disk.format, readOnly: false },
        { serial: MODULES_DISK_SERIAL, path: kernel.modulesDiskPath, format: 'raw', readOnly: true },
      ],
      ...(attachment && { network: { socketPath: attachment.socketPath, mac: attachment.guest.mac } }),
      consoleLogPath: this.consoleLogPath(vm.id),
    });
  }
}

function launchedSpec({ name, spec }: VmRecord): Launched {
  const { vcpus, memoryMiB, diskBytes, network } = spec;
  return { name, vcpus, memoryMiB, diskBytes, network };
}
