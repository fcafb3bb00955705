import type { Abortable } from '#base/abort.ts';
import type { Logger } from '#base/log.ts';
import type { AgentClient } from '#guest/agent-client.ts';
import type { VmRecord } from '#store/vm-repository.ts';
import type { VmCapability } from '../vm/capability.ts';
import { refuseOccupied } from './published-ports.ts';
import { VmForwards } from './vm-forwards.ts';

export interface PortForwardsOptions {
  /** The open session of a VM that runs; waits a while for one. */
  agent: (id: string, options: Abortable) => Promise<AgentClient>;
  /** Somebody uses the VM through a port; told now and then. */
  onUse: (id: string) => void;
  log: Logger;
}

/**
 * While a VM runs, its listening TCP ports are reachable at its own address on the host's loopback, and its published ones where
 * they were published. Connections only go from the host into the guest.
 */
export class PortForwards implements VmCapability {
  readonly name = 'ports';
  readonly #options: PortForwardsOptions;
  readonly #vms = new Map<string, VmForwards>();

  constructor(options: PortForwardsOptions) {
    this.#options = options;
  }

  /** Undefined unless it runs. */
  find(id: string): VmForwards | undefined {
    return this.#vms.get(id);
  }

  /** @throws UserError `PORT_TAKEN`, `PORT_NOT_ALLOWED` when a published port cannot be had */
  async checkStart(vm: VmRecord): Promise<void> {
    if (this.#vms.has(vm.id)) return;
    await Promise.all(vm.published.map((port) => refuseOccupied(port, `start "${vm.name}"`)));
  }

  async afterStart(vm: VmRecord): Promise<void> {
    await this.cleanUp(vm.id);
    const forwards = new VmForwards({
      hostAddress: vm.hostAddress,
      agent: (options) => this.#options.agent(vm.id, options),
      onUse: () => this.#options.onUse(vm.id),
      log: this.#options.log.child({ vm: vm.id }),
    });
    this.#vms.set(vm.id, forwards);
    await forwards.publish(vm.published);
    forwards.watch({ isNew: vm.state !== 'running' });
  }

  async applyChange(_before: VmRecord, after: VmRecord): Promise<void> {
    await this.#vms.get(after.id)?.publish(after.published);
  }

  async cleanUp(id: string): Promise<void> {
    this.#vms.get(id)?.close();
    this.#vms.delete(id);
  }

  /** At the end of the daemon. */
  close(): void {
    for (const forwards of this.#vms.values()) forwards.close();
    this.#vms.clear();
  }
}
