import { UserError } from '#contract/errors.ts';
import type { GuestStats } from '#contract/guest/stats-messages.ts';
import type { RunningVm, VmGaugeOptions } from '#daemon/vm/stats/vm-gauge.ts';
import { VmGauge } from '#daemon/vm/stats/vm-gauge.ts';
import type { DiskUsage } from '#disk/disk.ts';
import { newFakeGuestState } from '#guest/fake/fake-guest-state.ts';
import type { ProcessUsage } from '#host/process-usage.ts';

/** A machine to be measured whose figures, and whose time, are what the test says. */
export class MeasuredMachine {
  readonly vm: RunningVm;
  /** Undefined: the process is gone. */
  process: ProcessUsage | undefined = { cpuMs: 0, rssBytes: 100_000, writtenBytes: 4096 };
  disk: DiskUsage | undefined = { virtualBytes: 8_000_000, allocatedBytes: 1_000_000 };
  guest: GuestStats | 'hangs' | 'breaks' = newFakeGuestState().stats;
  guestQuestions = 0;
  nowMs = 1_700_000_000_000;
  /** Of the clock that does not step. */
  elapsedMs = 0;

  constructor(name = 'demo', pid = 100) {
    this.vm = {
      id: `id-of-${name}`,
      name,
      startedAtMs: this.nowMs,
      memoryMiB: 512,
      process: { pid, startTicks: 7 },
    };
  }

  createGauge(differences: Partial<VmGaugeOptions> = {}): VmGauge {
    return new VmGauge({
      vm: this.vm,
      sources: {
        processUsage: async () => this.process,
        pssBytes: async () => 50_000,
        diskUsage: async () => this.disk,
        guestStats: () => this.#askGuest(),
      },
      clock: { now: () => this.nowMs },
      monotonicClock: { now: () => this.elapsedMs },
      patienceMs: 50,
      ...differences,
    });
  }

  /** Time passes, in which the machine computes. */
  pass(ms: number, cpuMs = 0): void {
    this.nowMs += ms;
    this.elapsedMs += ms;
    if (this.process) this.process = { ...this.process, cpuMs: this.process.cpuMs + cpuMs };
  }

  async #askGuest(): Promise<GuestStats> {
    this.guestQuestions += 1;
    if (this.guest === 'hangs') return new Promise(() => {});
    if (this.guest === 'breaks')
      throw new UserError('GUEST_LINK_LOST', 'Cannot talk to the guest: the link is lost');
    return this.guest;
  }
}
