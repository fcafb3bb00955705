import type { Abortable } from '#base/abort.ts';
import type { ProcessIdentity } from '#host/proc.ts';

/** Everything a driver needs to run one machine. All paths are absolute. */
export interface MachineConfig {
  /** Id of the VM, also in the process's command line so that a leftover is recognised. */
  id: string;
  vcpus: number;
  memoryMiB: number;
  kernelPath: string;
  /** The same kernel without its compression: a driver may take it where unpacking in the guest is slow. */
  uncompressedKernelPath?: string | undefined;
  /** The kernel's ticks in a second, where that is known. */
  timerHz?: number | undefined;
  initramfsPath: string;
  /** What the guest needs on its command line; the driver puts its own (console, clock) in front. */
  commandLine: readonly string[];
  /** In order; a guest finds them by `serial`, not by order. */
  disks: readonly MachineDisk[];
  network?: MachineNetwork | undefined;
  /** Folder for sockets and logs of this machine; exists, 0700, short enough for socket paths (≤ 80 bytes). */
  runtimeDir: string;
  /** The guest's serial console is appended here; the folder exists. */
  consoleLogPath: string;
}

export interface MachineDisk {
  /** At most 20 bytes: the virtio-blk serial number. */
  serial: string;
  path: string;
  format: 'raw' | 'qcow2';
  readOnly: boolean;
}

/** What a disk, named by its serial, is to be. */
export interface DiskSize {
  serial: string;
  /** A multiple of 512. */
  sizeBytes: number;
}

/** How the machine's network card is connected. */
export interface MachineNetwork {
  /** Unix stream socket that speaks QEMU's length-prefixed Ethernet frames (passt). */
  socketPath: string;
  mac: string;
}

export interface Machine {
  process: ProcessIdentity;
  /** Where the guest link of this machine is reached. */
  guestSocketPath: string;
  /** Where the hypervisor is controlled (QMP, Firecracker API). */
  controlSocketPath: string;
}

export interface HypervisorSupport {
  version: string;
  /** `kvm` (hardware) or `tcg` (emulation). */
  accelerator: 'kvm' | 'tcg';
  /** Why this accelerator, in one sentence. */
  reason: string;
}

export type MachineStatus = 'running' | 'paused' | 'gone';

/**
 * Port: runs machines that outlive this process.
 *
 * Every method may be called by a process other than the one that launched the machine, and twice.
 */
export interface Hypervisor {
  readonly name: string;

  /**
   * What this host can do.
   *
   * @throws UserError `HYPERVISOR_MISSING` with the package to install
   */
  probe(options?: Abortable): Promise<HypervisorSupport>;

  /**
   * Starts a machine in a session of its own and returns once it executes guest code.
   * When it rejects, no process and no socket of the machine is left.
   *
   * @throws UserError `HYPERVISOR_MISSING`, `MACHINE_START_FAILED` (details.stderr: its last lines)
   */
  launch(config: MachineConfig, options?: Abortable): Promise<Machine>;

  /** Finds a machine of this VM that runs although no handle is known (the daemon died right after launching it). */
  findMachine(config: Pick<MachineConfig, 'id' | 'runtimeDir'>): Promise<Machine | undefined>;

  /**
   * All machines whose runtime folder is `<folder>/<id of their VM>`, whoever launched them: also several of one VM,
   * and those of VMs that nobody knows any more.
   */
  listMachines(folder: string): Promise<(Machine & { id: string })[]>;

  status(machine: Machine, options?: Abortable): Promise<MachineStatus>;

  pause(machine: Machine, options?: Abortable): Promise<void>;
  resume(machine: Machine, options?: Abortable): Promise<void>;

  /**
   * Makes a disk of a machine that runs larger, its image and what the guest sees; nothing happens when it has the size.
   *
   * @throws UserError `INVALID_ARGUMENT` no such disk, `DISK_TOO_SMALL` it is larger already, `DISK_TOO_LARGE`, `MACHINE_DIED`
   */
  resizeDisk(machine: Machine, disk: DiskSize, options?: Abortable): Promise<void>;

  /** Resolves when the process has ended, at once when it is not there; rejects with the signal's reason. */
  waitForExit(machine: Machine, options?: Abortable): Promise<void>;

  /** Ends the process without asking the guest, resolves when it is gone. Idempotent. */
  kill(machine: Machine, options?: Abortable): Promise<void>;

  /** Removes sockets and pid files of a machine that is gone. Idempotent. Keeps the console log. */
  cleanUp(config: Pick<MachineConfig, 'id' | 'runtimeDir'>): Promise<void>;

  /** The last lines the hypervisor itself printed. */
  diagnostics(config: Pick<MachineConfig, 'id' | 'runtimeDir'>): Promise<string>;
}
