import type { Abortable } from '#base/abort.ts';
import type { VmStats } from '#contract/owner/stats.ts';
import type { BangerClient } from '#sdk/client.ts';
import { resolveTargets } from './several-vms.ts';

/** One VM that was measured, or why it could not be. */
export type MeasuredVm = { stats: VmStats } | { name: string; error: unknown };

/**
 * Measures VMs, all that run when none is named. A VM that is named twice is taken once; a failure hides no other.
 *
 * @throws what makes every measurement impossible; the failure of the only VM that is named
 */
export async function measureVms(
  client: BangerClient,
  references: readonly string[],
  options: Abortable,
): Promise<MeasuredVm[]> {
  const [only, ...others] = references;
  if (only === undefined) return (await client.stats.list(options)).map((stats) => ({ stats }));
  if (others.length === 0) return [{ stats: await client.stats.get(only, options) }];
  const targets = resolveTargets(references, await client.vms.list(options));
  const measured = await Promise.allSettled(
    targets.map(({ reference }) => client.stats.get(reference, options)),
  );
  options.signal?.throwIfAborted();
  return measured.map((outcome, index) =>
    outcome.status === 'fulfilled'
      ? { stats: outcome.value }
      : { name: targets[index]?.name ?? '', error: outcome.reason },
  );
}
