import type { VmRecord } from '#store/vm-repository.ts';
import type { VmCapability } from '../vm/capability.ts';

/** Where names are published: the name server. */
export interface VmNames {
  set(name: string, address: string): void;
  remove(name: string): void;
}

/** While a VM runs, `NAME.vm` is the address at which the host's processes reach it. A VM without one has no name. */
export class DnsCapability implements VmCapability {
  readonly name = 'dns';
  readonly #names: VmNames;
  /** VM id → the name it was given. */
  readonly #published = new Map<string, string>();

  constructor(names: VmNames) {
    this.#names = names;
  }

  async afterStart(vm: VmRecord): Promise<void> {
    this.#publish(vm);
  }

  async applyChange(_before: VmRecord, after: VmRecord): Promise<void> {
    if (this.#published.has(after.id)) this.#publish(after);
  }

  async cleanUp(id: string): Promise<void> {
    this.#withdraw(id);
  }

  #publish({ id, name, hostAddress }: VmRecord): void {
    if (this.#published.get(id) !== name || hostAddress === null) this.#withdraw(id);
    if (hostAddress === null) return;
    this.#names.set(name, hostAddress);
    this.#published.set(id, name);
  }

  #withdraw(id: string): void {
    const name = this.#published.get(id);
    this.#published.delete(id);
    if (name === undefined) return;
    // Renaming frees a name before this is told: another VM may have taken it already.
    if (![...this.#published.values()].includes(name)) this.#names.remove(name);
  }
}
