import type { BangerClient } from '#sdk/client.ts';
import type { CliContext } from './context.ts';
import { describeError, EXIT } from './output/error.ts';
import { reportFailure } from './output/report.ts';
import { resolveTargets, type Target } from './several-vms.ts';

export interface Answer<T> {
  target: Target;
  value: T;
}

export interface SeveralAnswers<T> {
  answers: Answer<T>[];
  /** Of those that could not be asked, as `--json` shows them. */
  failures: object[];
}

export interface Question<T> {
  references: readonly string[];
  json: boolean;
  ask: (target: Target) => Promise<T>;
}

/**
 * Asks several VMs the same at once, names resolved from one listing. A failure hides no other: without `json` it is reported, and the
 * exit status becomes 3.
 *
 * @throws the failure itself when only one VM was asked
 */
export async function askSeveralVms<T>(
  context: CliContext,
  client: BangerClient,
  { references, json, ask }: Question<T>,
): Promise<SeveralAnswers<T>> {
  const [only] = references;
  if (only !== undefined && references.length === 1) {
    const target = { reference: only, name: only };
    return { answers: [{ target, value: await ask(target) }], failures: [] };
  }
  const targets = resolveTargets(references, await client.vms.list());
  const outcomes = await Promise.allSettled(
    targets.map(async (target) => ({ target, value: await ask(target) })),
  );
  const failures: object[] = [];
  for (const [index, outcome] of outcomes.entries()) {
    if (outcome.status === 'fulfilled') continue;
    context.exitStatus = EXIT.failure;
    if (!json) reportFailure(outcome.reason, { output: context.output, json: false });
    const { stack: _, ...error } = describeError(outcome.reason);
    failures.push({ name: targets[index]?.name, error });
  }
  const answers = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  return { answers, failures };
}
