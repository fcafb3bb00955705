import type { Abortable } from '#base/abort.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { UserError } from '#contract/errors.ts';
import type { StatsSample, VmStats, VmStatsReport } from '#contract/owner/stats.ts';
import type { VmState } from '#contract/owner/vm.ts';
import { findVmByReference } from '../find-vm.ts';
import type { RunningVm, VmGauge } from './vm-gauge.ts';

export interface VmStatsOptions {
  vms: () => readonly { id: string; name: string; state: VmState }[];
  /** The VM with its machine; undefined when none runs. */
  findRunning: (id: string) => RunningVm | undefined;
  createGauge: (vm: RunningVm) => VmGauge;
  log: Logger;
}

/** What running VMs use: measured in the background for the history, and at once for who asks. */
export class VmStatsService {
  readonly #options: VmStatsOptions;
  readonly #gauges = new Map<string, VmGauge>();

  constructor(options: VmStatsOptions) {
    this.#options = options;
  }

  /** One round over all VMs that run; one that cannot be measured holds up no other. */
  async poll({ signal }: Abortable): Promise<void> {
    const running = this.#running();
    this.#forgetAllBut(running);
    await Promise.all(running.map((vm) => this.#pollOne(vm, { signal })));
  }

  /** @throws UserError `VM_NOT_FOUND`, `VM_REFERENCE_AMBIGUOUS`, `VM_NOT_RUNNING` */
  async get(
    reference: string,
    options: { history?: number | undefined } & Abortable,
  ): Promise<VmStatsReport> {
    const { id, name, state } = findVmByReference(this.#options.vms(), reference);
    const vm = this.#options.findRunning(id);
    if (!vm) throw notRunning(name, state);
    const gauge = this.#gaugeOf(vm);
    const stats = describe(vm, await gauge.measure(options));
    return options.history === undefined ? stats : { ...stats, history: gauge.history(options.history) };
  }

  /** All that run. */
  async list(options: Abortable): Promise<VmStats[]> {
    const running = this.#running();
    return Promise.all(running.map(async (vm) => describe(vm, await this.#gaugeOf(vm).measure(options))));
  }

  /** Of one core, over the last so many polls; undefined before there are enough to tell. */
  meanCpuPercent(id: string, polls: number): number | undefined {
    const vm = this.#options.findRunning(id);
    return vm && this.#gaugeOf(vm).meanCpuPercent(polls);
  }

  async #pollOne(vm: RunningVm, { signal }: Abortable): Promise<void> {
    try {
      await this.#gaugeOf(vm).poll({ signal });
    } catch (error) {
      if (signal?.aborted) return;
      this.#options.log.warn({ vm: vm.id, error: messageOf(error) }, 'cannot measure a VM');
    }
  }

  #running(): RunningVm[] {
    return this.#options.vms().flatMap(({ id }) => this.#options.findRunning(id) ?? []);
  }

  /** A VM that was started again has another machine, and a history of its own. */
  #gaugeOf(vm: RunningVm): VmGauge {
    const known = this.#gauges.get(vm.id);
    if (known?.isOf(vm)) return known;
    const gauge = this.#options.createGauge(vm);
    this.#gauges.set(vm.id, gauge);
    return gauge;
  }

  #forgetAllBut(running: readonly RunningVm[]): void {
    const ids = new Set(running.map(({ id }) => id));
    for (const id of this.#gauges.keys()) if (!ids.has(id)) this.#gauges.delete(id);
  }
}

function describe({ id, name }: RunningVm, sample: StatsSample): VmStats {
  return { vm: { id, name }, ...sample };
}

function notRunning(name: string, state: VmState): UserError {
  return new UserError('VM_NOT_RUNNING', `Cannot measure "${name}": it is ${state}`, {
    hint: `banger vm start ${name}`,
  });
}
