import { readdir, readFile, writeFile } from 'node:fs/promises';
import { delay } from '#base/backoff.ts';
import { MiB } from '#base/sizes.ts';
import { findProcess } from '#host/proc.ts';

const PERIOD_MS = 50;

export interface Peak {
  /** Of the process itself, as the kernel kept it. */
  ownMiB: number;
  /** Of all that it started, together, as far as looking every 50 ms shows it. */
  helpersMiB: number;
}

/** What a process and its helpers hold in memory at most while `body` runs. */
export async function peakOf(pid: number, body: () => Promise<unknown>): Promise<Peak> {
  await writeFile(`/proc/${pid}/clear_refs`, '5'); // the peak begins anew: proc_pid_clear_refs(5)
  const watching = new AbortController();
  const helpers = watchHelpers(pid, watching.signal);
  try {
    await body();
  } finally {
    watching.abort();
  }
  return { ownMiB: await statusMiB(pid, 'VmHWM'), helpersMiB: await helpers };
}

async function watchHelpers(pid: number, signal: AbortSignal): Promise<number> {
  let peak = 0;
  while (!signal.aborted) {
    const sizes = await Promise.all((await descendantsOf(pid)).map((one) => statusMiB(one, 'VmRSS')));
    peak = Math.max(
      peak,
      sizes.reduce((sum, size) => sum + size, 0),
    );
    await delay(PERIOD_MS);
  }
  return peak;
}

async function descendantsOf(pid: number): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(pids.map((one) => findProcess(one)));
  const parents = new Map(found.flatMap((one) => (one ? [[one.pid, one.parentPid] as const] : [])));
  const isBelow = (one: number | undefined): boolean =>
    one !== undefined && (parents.get(one) === pid || isBelow(parents.get(one)));
  return [...parents.keys()].filter(isBelow);
}

/** 0 for one that has ended. */
async function statusMiB(pid: number, field: string): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return (Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) * 1024) / MiB;
}
