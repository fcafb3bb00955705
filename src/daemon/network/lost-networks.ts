import type { Abortable } from '#base/abort.ts';
import { delay } from '#base/backoff.ts';
import type { Logger } from '#base/log.ts';
import { isAlive } from '#host/proc.ts';
import type { VmRecord } from '#store/vm-repository.ts';
import type { Handles } from '../vm/handles.ts';
import type { VmRegistry } from '../vm/vm-registry.ts';

export interface LostNetworksOptions {
  registry: Pick<VmRegistry, 'list' | 'find' | 'transition'>;
  handles: { get(id: string): Handles };
  /** An operation on the VM runs: what it has is on its way. */
  isBusy: (id: string) => boolean;
  log: Logger;
  /** A machine that ends takes its network with it, which can be gone a moment earlier. */
  graceMs?: number;
}

const GRACE_MS = 1000;

/**
 * Notices VMs that run on although the process which carried their traffic has ended: killed, or out of memory. Nothing can
 * give such a machine another network, so its owner is told.
 */
export class LostNetworks {
  readonly #options: LostNetworksOptions;

  constructor(options: LostNetworksOptions) {
    this.#options = options;
  }

  /** Looks at all VMs once. */
  async check({ signal }: Abortable = {}): Promise<void> {
    const { registry, graceMs = GRACE_MS } = this.#options;
    const lost: string[] = [];
    for (const { id } of registry.list().filter(mayLoseIt)) if (await this.#isLost(id)) lost.push(id);
    if (lost.length === 0) return;
    await delay(graceMs, { signal });
    for (const id of lost) if (await this.#isLost(id)) this.#tell(id);
  }

  async #isLost(id: string): Promise<boolean> {
    const { handles, isBusy } = this.#options;
    const { machine, network } = handles.get(id);
    if (!machine || !network?.process || (await isAlive(network.process))) return false;
    return (await isAlive(machine.process)) && !isBusy(id);
  }

  #tell(id: string): void {
    const { registry, log } = this.#options;
    const record = registry.find(id);
    if (!record || !mayLoseIt(record)) return;
    const message = `The network of "${record.name}" is gone: the process that carried its traffic has ended; a restart brings it back`;
    log.warn({ vm: id }, message);
    registry.transition(id, 'running', { lastError: { code: 'NETWORK_LOST', message } });
  }
}

function mayLoseIt({ state, lastError }: VmRecord): boolean {
  return state === 'running' && lastError?.code !== 'NETWORK_LOST';
}
