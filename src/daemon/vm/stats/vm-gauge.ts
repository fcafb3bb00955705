import type { Abortable } from '#base/abort.ts';
import { delay } from '#base/backoff.ts';
import type { Clock } from '#base/clock.ts';
import { MiB } from '#base/sizes.ts';
import { isUserError } from '#contract/errors.ts';
import type { GuestStats } from '#contract/guest/stats-messages.ts';
import { MAX_STATS_HISTORY, type StatsSample } from '#contract/owner/stats.ts';
import type { DiskUsage } from '#disk/disk.ts';
import type { ProcessIdentity } from '#host/proc.ts';
import type { ProcessUsage } from '#host/process-usage.ts';
import { cpuPercent, MIN_GAP_MS, type CpuReading } from './cpu-load.ts';
import { Ring } from './ring.ts';
import { SingleQuestion } from './single-question.ts';

/** A VM that runs, and the machine that it runs on. */
export interface RunningVm {
  id: string;
  name: string;
  startedAtMs: number;
  memoryMiB: number;
  process: ProcessIdentity;
}

/** Where the figures of one machine come from. A source that rejects with a UserError has nothing to say at the moment. */
export interface GaugeSources {
  /** Undefined when the process is gone. */
  processUsage: () => Promise<ProcessUsage | undefined>;
  pssBytes: () => Promise<number | undefined>;
  diskUsage: () => Promise<DiskUsage | undefined>;
  guestStats: () => Promise<GuestStats>;
}

export interface VmGaugeOptions {
  vm: RunningVm;
  sources: GaugeSources;
  clock: Clock;
  /** Never steps. */
  monotonicClock: Clock;
  patienceMs: number;
}

interface Measurement {
  sample: StatsSample;
  reading: CpuReading | undefined;
}

/** Fewer polls than this say nothing of what a VM does. */
const MIN_POLLS = 3;

/** Measures one machine from its launch, or its adoption, to its end. */
export class VmGauge {
  readonly #options: VmGaugeOptions;
  readonly #history = new Ring<Measurement>(MAX_STATS_HISTORY);
  readonly #guest: SingleQuestion<GuestStats>;
  readonly #disk: SingleQuestion<DiskUsage | undefined>;

  constructor(options: VmGaugeOptions) {
    this.#options = options;
    const { sources, patienceMs } = options;
    this.#guest = new SingleQuestion({ ask: sources.guestStats, patienceMs });
    this.#disk = new SingleQuestion({ ask: sources.diskUsage, patienceMs });
  }

  isOf({ process }: RunningVm): boolean {
    const { pid, startTicks } = this.#options.vm.process;
    return process.pid === pid && process.startTicks === startTicks;
  }

  /** Measures for the history. */
  async poll({ signal }: Abortable): Promise<void> {
    const measurement = await this.#measure(this.#newestReading(), { signal });
    this.#history.push(measurement);
  }

  /** Measures now, for somebody who asks. */
  async measure({ signal }: Abortable): Promise<StatsSample> {
    const { sources } = this.#options;
    const baseline = this.#newestReading(MIN_GAP_MS) ?? (await this.#takeBaseline({ signal }));
    const [{ sample }, pssBytes] = await Promise.all([
      this.#measure(baseline, { signal }),
      sources.pssBytes(),
    ]);
    if (!sample.machine || pssBytes === undefined) return sample;
    return { ...sample, machine: { ...sample.machine, pssBytes } };
  }

  /** What was polled, oldest first. */
  history(count: number): StatsSample[] {
    return this.#history.last(count).map(({ sample }) => sample);
  }

  /** Mean over the last so many polls; undefined before there are enough to tell. */
  meanCpuPercent(polls: number): number | undefined {
    const readings = this.#history.last(polls).flatMap(({ reading }) => reading ?? []);
    const [first, last] = [readings.at(0), readings.at(-1)];
    if (!first || !last || readings.length < MIN_POLLS) return undefined;
    return cpuPercent(first, last);
  }

  async #measure(baseline: CpuReading | undefined, options: Abortable): Promise<Measurement> {
    const { sources, clock, monotonicClock, vm } = this.#options;
    const [usage, disk, guest] = await Promise.all([
      sources.processUsage(),
      unlessUnavailable(this.#disk.answer(options)),
      unlessUnavailable(this.#guest.answer(options)),
    ]);
    const now = clock.now();
    const reading = usage && { atMs: monotonicClock.now(), cpuMs: usage.cpuMs };
    const percent = baseline && reading && cpuPercent(baseline, reading);
    const sample: StatsSample = {
      at: new Date(now).toISOString(),
      uptimeMs: Math.max(0, now - vm.startedAtMs),
      memoryLimitBytes: vm.memoryMiB * MiB,
      ...(usage && { machine: { ...usage, ...(percent !== undefined && { cpuPercent: percent }) } }),
      ...(disk && { disk }),
      ...(guest && { guest: summarizeGuest(guest) }),
    };
    return { sample, reading };
  }

  /** The newest of the history that is old enough to compare with. */
  #newestReading(minAgeMs = 0): CpuReading | undefined {
    const latest = this.#options.monotonicClock.now() - minAgeMs;
    return this.#history.findNewest(({ reading }) => reading !== undefined && reading.atMs <= latest)
      ?.reading;
  }

  async #takeBaseline({ signal }: Abortable): Promise<CpuReading | undefined> {
    const { sources, monotonicClock } = this.#options;
    const usage = await sources.processUsage();
    const reading = usage && { atMs: monotonicClock.now(), cpuMs: usage.cpuMs };
    await delay(MIN_GAP_MS, { signal });
    return reading;
  }
}

async function unlessUnavailable<T>(answer: Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isUserError(error)) return undefined;
    throw error;
  }
}

function summarizeGuest({ loadAverage, memory, uptimeMs, processes, disks, networks }: GuestStats) {
  const root = disks.find(({ mountPoint }) => mountPoint === '/');
  const network = networks.find(({ name }) => name === 'eth0');
  return {
    load: loadAverage,
    uptimeMs,
    processes,
    memoryTotalBytes: memory.totalBytes,
    memoryAvailableBytes: memory.availableBytes,
    ...(root && { diskTotalBytes: root.totalBytes, diskAvailableBytes: root.availableBytes }),
    ...(network && { receivedBytes: network.receivedBytes, sentBytes: network.sentBytes }),
  };
}
