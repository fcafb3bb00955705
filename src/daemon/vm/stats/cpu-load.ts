export interface CpuReading {
  /** On a clock that never steps. */
  atMs: number;
  /** Processor time until then. */
  cpuMs: number;
}

/** Two readings closer together than this say nothing: the kernel counts in ticks of 10 ms. */
export const MIN_GAP_MS = 500;

/** Of one core, between two readings; undefined when they are too close. */
export function cpuPercent(before: CpuReading, after: CpuReading): number | undefined {
  const elapsedMs = after.atMs - before.atMs;
  if (elapsedMs < MIN_GAP_MS) return undefined;
  const percent = ((after.cpuMs - before.cpuMs) / elapsedMs) * 100;
  return Math.round(Math.max(0, percent) * 10) / 10;
}
