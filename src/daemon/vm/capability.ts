import type { Abortable } from '#base/abort.ts';
import type { MachineConfig } from '#hypervisor/hypervisor.ts';
import type { VmRecord } from '#store/vm-repository.ts';

/**
 * Something that a VM has beyond its machine, and that hooks into its life: a name in DNS, ports on the host, a second disk.
 * A capability sees VMs only through these hooks, all of which run under the VM's lock; each must be quick or take the signal.
 * What a hook throws fails the operation, which then undoes what was done; `cleanUp` is the undoing of `prepareHost` and `afterStart`.
 */
export interface VmCapability {
  readonly name: string;

  /** Refuses a start before anything is done for it. */
  checkStart?(vm: VmRecord, options: Abortable): Promise<void>;

  /** Before the machine is launched. */
  prepareHost?(vm: VmRecord, options: Abortable): Promise<void>;

  /** Words for the guest's command line. */
  contributeGuest?(vm: VmRecord): readonly string[];

  /** The machine as it shall be launched, with what the capability adds to it. */
  contributeMachine?(vm: VmRecord, config: MachineConfig): MachineConfig;

  /** The VM runs: it was started, or a new daemon has adopted it. */
  afterStart?(vm: VmRecord, options: Abortable): Promise<void>;

  /** The VM runs no more, or its start failed. Idempotent; also called for a VM that the capability has never seen. */
  cleanUp?(id: string): Promise<void>;

  /** The record of a VM changed, running or not: it has another name, other published ports. */
  applyChange?(before: VmRecord, after: VmRecord): Promise<void>;
}
