import { readProcFile, readStatFields, type ProcessIdentity } from './proc.ts';

/** What a process has used; what the kernel does not tell us of it is left out. */
export interface ProcessUsage {
  /** User and system time of all its threads. */
  cpuMs: number;
  rssBytes?: number;
  /** What it made the host write to its disks. */
  writtenBytes?: number;
}

/** USER_HZ, the unit of /proc/PID/stat: 100 on every architecture that Node runs on. */
const TICK_MS = 10;

/** Undefined when this process is gone. */
export async function readProcessUsage({
  pid,
  startTicks,
}: ProcessIdentity): Promise<ProcessUsage | undefined> {
  const [fields, status, io] = await Promise.all([
    readStatFields(pid),
    readProcFile(pid, 'status'),
    readProcFile(pid, 'io'),
  ]);
  if (!fields || Number(fields[19]) !== startTicks) return undefined;
  const rssKiB = numberAfter('VmRSS', status);
  const writtenBytes = numberAfter('write_bytes', io);
  return {
    cpuMs: (Number(fields[11]) + Number(fields[12])) * TICK_MS,
    ...(rssKiB !== undefined && { rssBytes: rssKiB * 1024 }),
    ...(writtenBytes !== undefined && { writtenBytes }),
  };
}

/** Its memory with what it shares divided among the sharers. The kernel walks all its pages for that. */
export async function readPssBytes({ pid }: ProcessIdentity): Promise<number | undefined> {
  const kibibytes = numberAfter('Pss', await readProcFile(pid, 'smaps_rollup'));
  return kibibytes === undefined ? undefined : kibibytes * 1024;
}

/** Of lines such as `VmRSS:     1234 kB`. */
function numberAfter(name: string, text: string | undefined): number | undefined {
  const match = new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(text ?? '');
  return match ? Number(match[1]) : undefined;
}
