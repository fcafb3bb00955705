import type { Abortable } from '#base/abort.ts';
import type { Clock } from '#base/clock.ts';
import { BUILD } from '#contract/version.ts';
import type { Layout } from '#contract/layout.ts';
import type { DoctorReport, Host } from '#contract/owner/host.ts';
import type { Hypervisor } from '#hypervisor/hypervisor.ts';
import { examineAll, type Check } from './check.ts';

export interface HostServiceOptions {
  hypervisor: Hypervisor;
  layout: Layout;
  /** What doctor looks at. */
  checks: readonly Check[];
  clock: Clock;
  countVms: () => { total: number; running: number };
}

/** What the daemon says of itself and of the machine it runs on. */
export class HostService {
  readonly #options: HostServiceOptions;
  readonly #startedAt: string;

  constructor(options: HostServiceOptions) {
    this.#options = options;
    this.#startedAt = new Date(options.clock.now()).toISOString();
  }

  async describe(): Promise<Host> {
    const { layout } = this.#options;
    const hypervisor = await this.#describeHypervisor();
    return {
      build: BUILD,
      pid: process.pid,
      startedAt: this.#startedAt,
      ...(hypervisor && { hypervisor }),
      vms: this.#options.countVms(),
      paths: {
        state: layout.stateDir,
        cache: layout.cacheDir,
        runtime: layout.runtimeDir,
        socket: layout.socketPath,
        log: layout.logPath,
      },
      memoryRssBytes: process.memoryUsage.rss(),
    };
  }

  doctor(options: Abortable): Promise<DoctorReport> {
    return examineAll(this.#options.checks, options);
  }

  async #describeHypervisor(): Promise<Host['hypervisor']> {
    const { hypervisor } = this.#options;
    try {
      return { driver: hypervisor.name, ...(await hypervisor.probe()) };
    } catch {
      return undefined; // that it is missing, and why, is a row of doctor
    }
  }
}
