import type { VmRecord } from '#store/vm-repository.ts';
import type { VmRegistry } from './vm-registry.ts';

/** @throws UserError when all are taken */
export type ChooseHostAddress = (id: string, taken: Iterable<string>) => string;

/** Gives each VM that has a network an address of its own on the host's loopback. The row that holds it takes it. */
export class HostAddresses {
  readonly #registry: VmRegistry;
  readonly #choose: ChooseHostAddress;

  constructor(registry: VmRegistry, choose: ChooseHostAddress) {
    this.#registry = registry;
    this.#choose = choose;
  }

  /** The record with an address; nothing may come between this and storing it. */
  assign(record: VmRecord): VmRecord {
    if (record.hostAddress !== null || record.spec.network === 'none') return record;
    const taken = this.#registry
      .list()
      .flatMap(({ hostAddress }) => (hostAddress === null ? [] : [hostAddress]));
    return { ...record, hostAddress: this.#choose(record.id, taken) };
  }

  /** For a VM that is stored already: one made before VMs had addresses, or before it had a network. */
  ensure(record: VmRecord): VmRecord {
    const { hostAddress } = this.assign(record);
    return hostAddress === record.hostAddress ? record : this.#registry.change(record.id, { hostAddress });
  }
}
