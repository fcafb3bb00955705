import type { Ground } from './ground.ts';
import type { IdleMemory } from './idle-memory.ts';
import type { LostNetworks } from './network/lost-networks.ts';
import type { OperationRegistry } from './operation/operation-registry.ts';
import { Ticker, type TickerOptions } from './ticker.ts';
import type { StaleVms } from './vm/stale-vms.ts';
import type { StalledMachines } from './vm/stalled-machines.ts';
import type { VmStatsService } from './vm/stats/vm-stats.ts';

export interface BackgroundParts {
  lostNetworks: Pick<LostNetworks, 'check'>;
  stalled: Pick<StalledMachines, 'check'>;
  operations: Pick<OperationRegistry, 'prune'>;
  stats: Pick<VmStatsService, 'poll'>;
  stale: Pick<StaleVms, 'check'>;
  memory: Pick<IdleMemory, 'check'>;
}

const PRUNE_INTERVAL_MS = 60_000;
const KEEP_OPERATIONS_MS = 15 * 60_000;
const NETWORK_CHECK_INTERVAL_MS = 3000;
const RESERVE_INTERVAL_MS = 20_000;
const STALLED_CHECK_INTERVAL_MS = 5000;
const STALE_CHECK_INTERVAL_MS = 5000;
const MEMORY_INTERVAL_MS = 3000;

/** What the daemon does without being asked, each at its own pace. Disposing waits for what is under way. */
export function startBackground(
  { config, log, reserve }: Pick<Ground, 'config' | 'log' | 'reserve'>,
  { operations, stats, stale, lostNetworks, stalled, memory }: BackgroundParts,
): AsyncDisposable {
  const tickers = new AsyncDisposableStack();
  const start = (name: string, intervalMs: number, body: TickerOptions['body']) =>
    void tickers.use(new Ticker({ name, intervalMs, body, log }));
  start('finished operations', PRUNE_INTERVAL_MS, () => operations.prune(KEEP_OPERATIONS_MS));
  start('stats', config.statsPollIntervalMs, (options) => stats.poll(options));
  start('lost networks', NETWORK_CHECK_INTERVAL_MS, (options) => lostNetworks.check(options));
  start('stalled machines', STALLED_CHECK_INTERVAL_MS, (options) => stalled.check(options));
  start('stale VMs', STALE_CHECK_INTERVAL_MS, (options) => stale.check(options));
  start('idle memory', MEMORY_INTERVAL_MS, () => memory.check());
  start('space reserve', RESERVE_INTERVAL_MS, () => reserve.keep());
  return tickers;
}
