import { isTimeout, withTimeout, type Abortable } from '#base/abort.ts';
import type { Logger } from '#base/log.ts';
import { isUserError } from '#contract/errors.ts';
import type { Hypervisor, Machine } from '#hypervisor/hypervisor.ts';
import type { VmRecord } from '#store/vm-repository.ts';
import type { Handles } from './handles.ts';
import type { VmRegistry } from './vm-registry.ts';

export interface StalledMachinesOptions {
  registry: Pick<VmRegistry, 'list' | 'find' | 'transition'>;
  handles: { get(id: string): Handles };
  hypervisor: Pick<Hypervisor, 'status' | 'resume'>;
  /** An operation on the VM runs: it may have paused the machine itself. */
  isBusy: (id: string) => boolean;
  /** Whether there is more than what the daemon keeps for itself: a guest would use up that too. */
  hasRoom: () => Promise<boolean>;
  log: Logger;
}

const ANSWER_MS = 2000;

/**
 * A machine whose disk cannot be written, because the host has no room, is paused by the hypervisor rather than told of an error
 * that its guest could not survive. It goes on when there is room, and says meanwhile why it does not.
 */
export class StalledMachines {
  readonly #options: StalledMachinesOptions;

  constructor(options: StalledMachinesOptions) {
    this.#options = options;
  }

  /** Looks at all VMs once; each that stands still tries its last write again. */
  async check(options: Abortable = {}): Promise<void> {
    const { registry, isBusy, handles } = this.#options;
    for (const record of registry.list()) {
      const { machine } = handles.get(record.id);
      if (record.state === 'running' && machine && !isBusy(record.id))
        await this.#look(record, machine, options);
    }
  }

  async #look(record: VmRecord, machine: Machine, { signal }: Abortable): Promise<void> {
    const { hypervisor, isBusy, hasRoom } = this.#options;
    const bound = withTimeout(ANSWER_MS, signal);
    try {
      const isPaused = (await hypervisor.status(machine, { signal: bound })) === 'paused';
      if (isBusy(record.id)) return;
      if (isPaused && (await hasRoom())) await hypervisor.resume(machine, { signal: bound });
      this.#tell(record, isPaused);
    } catch (error) {
      signal?.throwIfAborted();
      // One that hangs or has just ended is for others to notice.
      if (!isTimeout(error) && !isUserError(error)) throw error;
    }
  }

  #tell({ id, name, lastError }: VmRecord, isPaused: boolean): void {
    const { registry, log } = this.#options;
    const saysSo = lastError?.code === 'HOST_DISK_FULL';
    if (isPaused === saysSo || registry.find(id)?.state !== 'running') return;
    const message = `"${name}" waits: there is no room on the host for what its guest writes`;
    log.warn({ vm: id }, isPaused ? message : `"${name}" goes on: there is room again`);
    registry.transition(id, 'running', {
      lastError: isPaused ? { code: 'HOST_DISK_FULL', message } : null,
    });
  }
}
