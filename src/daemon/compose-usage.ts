import { withTimeout } from '#base/abort.ts';
import { systemClock, type Clock } from '#base/clock.ts';
import type { DiskDriver } from '#disk/disk.ts';
import { readProcessUsage, readPssBytes } from '#host/process-usage.ts';
import { hasRunningCommand } from './command/has-running-command.ts';
import type { EventJournal } from './event/event-journal.ts';
import type { Ground } from './ground.ts';
import type { AgentSessions } from './vm/agent-sessions.ts';
import type { HandleCache } from './vm/handles.ts';
import type { MachineRunner } from './vm/machine-runner.ts';
import { StaleVms } from './vm/stale-vms.ts';
import { DiskGauge } from './vm/stats/disk-gauge.ts';
import { VmGauge, type RunningVm } from './vm/stats/vm-gauge.ts';
import { VmStatsService } from './vm/stats/vm-stats.ts';
import { VmActivity } from './vm/vm-activity.ts';
import type { KeyedLocks } from './vm/vm-locks.ts';
import type { VmRegistry } from './vm/vm-registry.ts';
import type { VmService } from './vm/vm-service.ts';

export interface UsageParts {
  registry: VmRegistry;
  activity: VmActivity;
  events: EventJournal;
  handles: HandleCache;
  sessions: AgentSessions;
  runner: MachineRunner;
  locks: KeyedLocks;
  vms: VmService;
  disk: DiskDriver;
}

const monotonicClock: Clock = { now: () => performance.now() };
/** How long a poll waits for a guest. */
const PATIENCE_MS = 2000;
/** Whether a VM computes is judged over so long, or over so many polls where those are rare. */
const BUSY_WINDOW_MS = 60_000;
const MIN_BUSY_POLLS = 3;

/** Who uses VMs; kept in their records. */
export function createActivity(registry: VmRegistry): VmActivity {
  return new VmActivity({
    clock: systemClock,
    persist: (id, touchedAtMs) => {
      const record = registry.find(id);
      if (!record) return false;
      if (touchedAtMs > (record.touchedAtMs ?? 0)) registry.change(id, { touchedAtMs });
      return true;
    },
  });
}

/** What VMs use, and what becomes of those that nobody uses. */
export function composeUsage(ground: Ground, parts: UsageParts) {
  const { registry, activity, events, locks, vms } = parts;
  const { config, log } = ground;
  const stats = composeStats(ground, parts);
  const polls = Math.max(MIN_BUSY_POLLS, Math.ceil(BUSY_WINDOW_MS / config.statsPollIntervalMs));
  const stale = new StaleVms({
    running: () => registry.list().filter(({ state }) => state === 'running'),
    activity,
    cpuPercent: (id) => stats.meanCpuPercent(id, polls),
    hasDetachedCommand: async (id, { signal }) => {
      const agent = await parts.sessions.get(id, PATIENCE_MS, { signal });
      return hasRunningCommand(agent, { signal: withTimeout(PATIENCE_MS, signal) });
    },
    isBeingChanged: (id) => locks.isHeld(id),
    defaultLimitMs: config.autoStopStaleAfterMs,
    stop: async (vm, { idleMs }) => {
      events.note(vm, [{ kind: 'stale', detail: { idleMs } }]);
      await vms.stop(vm.id, {});
    },
    clock: systemClock,
    log,
  });
  const use = (reference: string) => activity.enter(registry.resolve(reference).id);
  return { stats, stale, use };
}

function composeStats(
  { log }: Ground,
  { registry, handles, sessions, runner, disk }: UsageParts,
): VmStatsService {
  const findRunning = (id: string): RunningVm | undefined => {
    const record = registry.find(id);
    const { machine, launched } = handles.get(id);
    if (record?.state !== 'running' || !machine) return undefined;
    const memoryMiB = launched?.memoryMiB ?? record.spec.memoryMiB;
    const startedAtMs = record.startedAtMs ?? record.createdAtMs;
    return { id, name: record.name, startedAtMs, memoryMiB, process: machine.process };
  };
  const createGauge = (vm: RunningVm) => {
    const { id, process } = vm;
    const sizeBytes = () => registry.find(id)?.spec.diskBytes ?? 0;
    const diskGauge = new DiskGauge({ disk, folder: runner.folderOf(id), sizeBytes });
    const sources = {
      processUsage: () => readProcessUsage(process),
      pssBytes: () => readPssBytes(process),
      diskUsage: () => diskGauge.usage(),
      guestStats: async () => (await sessions.get(id, PATIENCE_MS)).stats(),
    };
    return new VmGauge({ vm, sources, clock: systemClock, monotonicClock, patienceMs: PATIENCE_MS });
  };
  return new VmStatsService({ vms: () => registry.list(), findRunning, createGauge, log });
}

export type Usage = ReturnType<typeof composeUsage>;
