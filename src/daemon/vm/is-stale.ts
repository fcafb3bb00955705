/** What decides whether a VM is stale. */
export interface Idleness {
  /** 0: never stale. */
  limitMs: number;
  /** When somebody last used it, or it was started. */
  lastUsedAtMs: number;
  /** A command runs, a shell or a connection is open. */
  isInUse: boolean;
  /** Of one core, over the last minute of polls; undefined when that is not known yet. */
  cpuPercent: number | undefined;
}

/** A guest that only idles stays below this, also an emulated one with systemd in it; one that works is far above. */
const BUSY_CPU_PERCENT = 10;

export function isBusy({ cpuPercent }: Pick<Idleness, 'cpuPercent'>): boolean {
  return cpuPercent !== undefined && cpuPercent > BUSY_CPU_PERCENT;
}

/** What is not known yet counts for the VM: a daemon that has just started stops nothing before it has looked for a while. */
export function isStale(idleness: Idleness, now: number): boolean {
  const { limitMs, lastUsedAtMs, isInUse, cpuPercent } = idleness;
  if (limitMs === 0 || isInUse) return false;
  if (cpuPercent === undefined || isBusy(idleness)) return false;
  return now - lastUsedAtMs >= limitMs;
}
