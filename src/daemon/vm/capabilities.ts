import type { Abortable } from '#base/abort.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { MachineConfig } from '#hypervisor/hypervisor.ts';
import type { VmRecord } from '#store/vm-repository.ts';
import type { VmCapability } from './capability.ts';
import { runAll } from './run-steps.ts';

/** Runs the hooks of all capabilities, in their order; what ends a VM's life in the reverse one. */
export class Capabilities {
  readonly #all: readonly VmCapability[];

  constructor(all: readonly VmCapability[]) {
    this.#all = all;
  }

  async checkStart(vm: VmRecord, options: Abortable): Promise<void> {
    for (const capability of this.#all) await capability.checkStart?.(vm, options);
  }

  async prepareHost(vm: VmRecord, options: Abortable): Promise<void> {
    for (const capability of this.#all) await capability.prepareHost?.(vm, options);
  }

  guestWords(vm: VmRecord): string[] {
    return this.#all.flatMap((capability) => capability.contributeGuest?.(vm) ?? []);
  }

  machineConfig(vm: VmRecord, config: MachineConfig): MachineConfig {
    return this.#all.reduce((made, capability) => capability.contributeMachine?.(vm, made) ?? made, config);
  }

  async afterStart(vm: VmRecord, options: Abortable): Promise<void> {
    for (const capability of this.#all) await capability.afterStart?.(vm, options);
  }

  /** For a machine that runs already: one that fails must not take it from its owner. */
  async afterAdoption(vm: VmRecord, log: Logger): Promise<void> {
    for (const capability of this.#all) {
      try {
        await capability.afterStart?.(vm, {});
      } catch (error) {
        log.error(
          { vm: vm.id, capability: capability.name, error: messageOf(error) },
          'cannot give a VM back',
        );
      }
    }
  }

  async applyChange(before: VmRecord, after: VmRecord): Promise<void> {
    for (const capability of this.#all) await capability.applyChange?.(before, after);
  }

  /** Tries every one. Idempotent. */
  async cleanUp(id: string): Promise<void> {
    await runAll(
      this.#all.toReversed().map((capability) => async () => capability.cleanUp?.(id)),
      `Cannot clean up after VM ${id}`,
    );
  }
}
