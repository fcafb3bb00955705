import type { DiskDriver } from '#disk/disk.ts';
import type { Hypervisor } from '#hypervisor/hypervisor.ts';
import type { VmRecord } from '#store/vm-repository.ts';
import type { OperationContext } from '../operation/operations.ts';
import type { AgentSessions } from './agent-sessions.ts';
import type { RunningMachine } from './change-vm.ts';
import { ROOT_DISK_SERIAL } from './guest-command-line.ts';
import type { MachineRunner } from './machine-runner.ts';

export interface MachineChangesOptions {
  hypervisor: Hypervisor;
  runner: MachineRunner;
  sessions: AgentSessions;
}

/** How long a guest may take to do what it is told. */
const AGENT_WAIT_MS = 2000;

/** Changes a machine while it runs. */
export class MachineChanges implements RunningMachine {
  readonly #options: MachineChangesOptions;

  constructor(options: MachineChangesOptions) {
    this.#options = options;
  }

  async growDisk({ id }: VmRecord, sizeBytes: number, { signal }: OperationContext): Promise<void> {
    const { hypervisor, runner, sessions } = this.#options;
    const machine = await runner.findMachine(id);
    if (!machine) return; // it has just ended: the disk grows at the next start
    await hypervisor.resizeDisk(machine, { serial: ROOT_DISK_SERIAL, sizeBytes }, { signal });
    const agent = await sessions.get(id, AGENT_WAIT_MS, { signal });
    await agent.growRoot({ diskBytes: sizeBytes, signal });
    await runner.noteLaunched(id, { diskBytes: sizeBytes });
  }

  async rename(id: string, name: string, { signal }: OperationContext): Promise<void> {
    const { runner, sessions } = this.#options;
    const agent = await sessions.get(id, AGENT_WAIT_MS, { signal });
    await agent.setIdentity({ hostname: name }, { signal });
    await runner.noteLaunched(id, { name });
  }
}

/** Makes the disk of a VM that does not run larger; the guest's file system follows at its next start. */
export function stoppedDiskOf(disk: DiskDriver, runner: Pick<MachineRunner, 'folderOf'>) {
  return {
    async growDisk({ id }: VmRecord, sizeBytes: number, { signal }: OperationContext): Promise<void> {
      const root = await disk.findRootDisk(runner.folderOf(id));
      if (root && root.sizeBytes < sizeBytes) await disk.growRootDisk(root, sizeBytes, { signal });
    },
  };
}
