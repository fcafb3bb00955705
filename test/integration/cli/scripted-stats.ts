import { UserError } from '#contract/errors.ts';
import type { VmStats } from '#contract/owner/stats.ts';
import type { Vm } from '#contract/owner/vm.ts';

const MIB = 2 ** 20;

/** What a scripted VM uses: more processor time with each measurement. */
export class ScriptedStats {
  #rounds = 0;

  of({ id, name, state }: Vm): VmStats {
    if (state !== 'running') {
      throw new UserError('VM_NOT_RUNNING', `Cannot measure "${name}": it is ${state}`, {
        hint: `banger vm start ${name}`,
      });
    }
    this.#rounds += 1;
    return {
      vm: { id, name },
      at: new Date().toISOString(),
      uptimeMs: 250_000,
      memoryLimitBytes: 2048 * MIB,
      machine: { cpuMs: 1000, cpuPercent: this.#rounds, rssBytes: 300 * MIB },
      disk: { virtualBytes: 8192 * MIB, allocatedBytes: 17 * MIB },
    };
  }
}
