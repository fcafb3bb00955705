import type { Operation, OperationResult } from '#contract/owner/operation.ts';
import type { Vm } from '#contract/owner/vm.ts';
import type { BangerClient } from '#sdk/client.ts';
import type { OperationHandle } from '#sdk/operation-handle.ts';
import type { CliContext } from './context.ts';
import { followOperation } from './follow-operation.ts';
import { exitStatusOfSignal, Interruption } from './interruption.ts';
import { describeError, EXIT } from './output/error.ts';
import { reportFailure } from './output/report.ts';
import { StopSignals } from './stop-signals.ts';

/** One of the VMs that a verb is for. */
export interface Target {
  /** The id; the word itself when the listing does not settle which VM it means, so that the daemon says what is wrong with it. */
  reference: string;
  name: string;
}

export interface SeveralVms<T> {
  references: readonly string[];
  json: boolean;
  begin: (client: BangerClient, reference: string) => Promise<OperationHandle<T>>;
  /** What is said of one that succeeded, for a program. */
  toJson: (value: T) => object;
  /** Called for each that succeeded, after its name was printed; `result` is all that the operation says. */
  note?: (name: string, value: T, result: OperationResult) => void;
}

interface Success<T> {
  id: string | undefined;
  name: string;
  value: T;
  result: OperationResult;
}

/**
 * Does the same with several VMs at once. All names are resolved from one listing; a VM that is named twice is taken once;
 * a failure hides no other; what is printed follows the order of the words. Exit status 3 when one of several failed.
 */
export async function forSeveralVms<T>(context: CliContext, options: SeveralVms<T>): Promise<void> {
  using client = await context.connect();
  const { references } = options;
  const [only, ...others] =
    references.length === 1
      ? references.map(bareTarget)
      : resolveTargets(references, await client.vms.list());
  if (only === undefined) return;
  using signals = new StopSignals();
  if (others.length > 0) return await forEach(context, [only, ...others], { client, signals, options });
  const begin = () => options.begin(client, only.reference);
  const { value, operation } = await followOperation(context, begin, { signals });
  const success = successOf(operation, only.name, value);
  if (options.json) context.output.json([describe(success, options)]);
  else printSuccess(context, success, options);
}

async function forEach<T>(
  context: CliContext,
  targets: readonly Target[],
  { client, signals, options }: { client: BangerClient; signals: StopSignals; options: SeveralVms<T> },
): Promise<void> {
  const begun = targets.map(({ reference }) => options.begin(client, reference));
  const abandoned = Promise.withResolvers<never>();
  using _ = signals.handle((signal, count) => {
    context.exitStatus = exitStatusOfSignal(signal);
    if (count > 1) abandoned.reject(new Interruption(signal, 'interrupted; the daemon goes on cancelling'));
    for (const handle of begun) handle.then((one) => one.cancel()).catch(() => {}); // each one's result tells
  });
  const results = begun.map(async (handle, index) => succeed(await handle, targets[index]?.name));
  const outcomes = await Promise.race([Promise.allSettled(results), abandoned.promise]);
  const failed = outcomes.some(({ status }) => status === 'rejected');
  if (failed && context.exitStatus === EXIT.ok) context.exitStatus = EXIT.failure;
  printOutcomes(context, outcomes, { targets, options });
}

function printOutcomes<T>(
  context: CliContext,
  outcomes: readonly PromiseSettledResult<Success<T>>[],
  { targets, options }: { targets: readonly Target[]; options: SeveralVms<T> },
): void {
  if (options.json) {
    context.output.json(outcomes.map((outcome, index) => toJson(outcome, targets[index], options)));
    return;
  }
  for (const outcome of outcomes) print(context, outcome, options);
}

function bareTarget(word: string): Target {
  return { reference: word, name: word };
}

export function resolveTargets(references: readonly string[], vms: readonly Vm[]): Target[] {
  const targets = new Map<string, Target>();
  for (const word of references) {
    const vm = matchVm(word, vms);
    const target = vm ? { reference: vm.id, name: vm.name } : bareTarget(word);
    if (!targets.has(target.reference)) targets.set(target.reference, target);
  }
  return [...targets.values()];
}

/** Exact id or name, else the only VM whose id or name begins so. */
function matchVm(word: string, vms: readonly Vm[]): Vm | undefined {
  const exact = vms.find((vm) => vm.id === word) ?? vms.find((vm) => vm.name === word);
  const matches = vms.filter((vm) => vm.id.startsWith(word) || vm.name.startsWith(word));
  return exact ?? (matches.length === 1 ? matches[0] : undefined);
}

async function succeed<T>(handle: OperationHandle<T>, word = ''): Promise<Success<T>> {
  const value = await handle.result();
  return successOf(handle.latest, word, value);
}

function successOf<T>({ vm, result = {} }: Operation, word: string, value: T): Success<T> {
  return { id: vm?.id, name: vm?.name ?? word, value, result };
}

function describe<T>({ id, name, value }: Success<T>, { toJson: rest }: SeveralVms<T>): object {
  return { id, name, ...rest(value) };
}

function printSuccess<T>({ output }: CliContext, success: Success<T>, { note }: SeveralVms<T>): void {
  const { name, value, result } = success;
  output.line(name);
  note?.(name, value, result);
}

function print<T>(
  context: CliContext,
  outcome: PromiseSettledResult<Success<T>>,
  options: SeveralVms<T>,
): void {
  if (outcome.status === 'fulfilled') printSuccess(context, outcome.value, options);
  else reportFailure(outcome.reason, { output: context.output, json: false });
}

function toJson<T>(
  outcome: PromiseSettledResult<Success<T>>,
  target: Target | undefined,
  options: SeveralVms<T>,
): object {
  if (outcome.status === 'fulfilled') return describe(outcome.value, options);
  const { stack: _, ...error } = describeError(outcome.reason);
  return { name: target?.name, error };
}
