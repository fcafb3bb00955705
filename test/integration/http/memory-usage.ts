import { UserError } from '#contract/errors.ts';
import type { StatsSample, VmStats, VmStatsReport } from '#contract/owner/stats.ts';
import type { Vm } from '#contract/owner/vm.ts';
import type { ActivityHandlers, StatsHandlers, VmHandlers } from '#daemon/http/services.ts';

/** What VMs in memory use: always the same. Who uses them is counted. */
export class MemoryUsage implements StatsHandlers, ActivityHandlers {
  readonly openUses = new Map<string, number>();
  readonly #vms: Pick<VmHandlers, 'list' | 'get'>;

  constructor(vms: Pick<VmHandlers, 'list' | 'get'>) {
    this.#vms = vms;
  }

  async list(): Promise<VmStats[]> {
    return this.#vms
      .list()
      .filter(({ state }) => state === 'running')
      .map(statsOf);
  }

  async get(reference: string, { history }: { history?: number | undefined }): Promise<VmStatsReport> {
    const vm = this.#vms.get(reference);
    if (vm.state !== 'running')
      throw new UserError('VM_NOT_RUNNING', `Cannot measure "${vm.name}": it is ${vm.state}`);
    const samples = Array.from({ length: history ?? 0 }, () => SAMPLE);
    return history === undefined ? statsOf(vm) : { ...statsOf(vm), history: samples };
  }

  use(reference: string): Disposable {
    const { id } = this.#vms.get(reference);
    this.#add(id, 1);
    return { [Symbol.dispose]: () => this.#add(id, -1) };
  }

  #add(id: string, count: number): void {
    this.openUses.set(id, (this.openUses.get(id) ?? 0) + count);
  }
}

const SAMPLE: StatsSample = {
  at: new Date(0).toISOString(),
  uptimeMs: 5000,
  memoryLimitBytes: 512 * 2 ** 20,
  machine: { cpuMs: 100, cpuPercent: 2.5 },
};

function statsOf({ id, name }: Vm): VmStats {
  return { vm: { id, name }, ...SAMPLE };
}
