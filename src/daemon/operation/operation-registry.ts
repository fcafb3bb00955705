import { systemClock, type Clock } from '#base/clock.ts';
import { isAbort } from '#base/abort.ts';
import { newOperationId } from '#base/ids.ts';
import type { Logger } from '#base/log.ts';
import { isUserError, UserError } from '#contract/errors.ts';
import type { Operation, OperationKind, OperationResult } from '#contract/owner/operation.ts';
import { translateHostFailure } from '../host-failure.ts';
import { describeBug, describeUserError } from './error-body.ts';
import { OperationRecord, type Outcome } from './operation-record.ts';
import { runInOperation } from '../operation-scope.ts';
import type { OperationContext, Operations } from './operations.ts';

export interface OperationRegistryOptions {
  log: Logger;
  clock?: Clock;
}

interface Entry {
  record: OperationRecord;
  controller: AbortController;
  log: Logger;
  /** Settles, without an error, when the body and its rollback have ended. */
  ended: Promise<void>;
}

type Body = (context: OperationContext) => Promise<OperationResult>;

/** Keeps operations in memory: a daemon that was killed has none, and reconcile deals with what they left. */
export class OperationRegistry implements Operations {
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();
  #closed = false;

  constructor({ log, clock = systemClock }: OperationRegistryOptions) {
    this.#log = log;
    this.#clock = clock;
  }

  /** @throws UserError `DAEMON_STOPPING` after {@link close} */
  begin(start: { kind: OperationKind; vm?: { id: string; name: string } }, body: Body): Operation {
    if (this.#closed) throw stopping(start.kind);
    const id = newOperationId();
    const startedAt = new Date(this.#clock.now()).toISOString();
    const first: Operation = { id, ...start, status: 'running', stage: 'begin', startedAt };
    const record = new OperationRecord(first, this.#clock);
    const log = this.#log.child({ operationId: id, kind: start.kind });
    const entry: Entry = { record, controller: new AbortController(), log, ended: Promise.resolve() };
    this.#entries.set(id, entry);
    log.info({ vm: start.vm?.name }, 'operation begins');
    entry.ended = runInOperation(id, () => run(entry, body));
    return record.snapshot;
  }

  get(id: string): Operation {
    return this.#entry(id).record.snapshot;
  }

  list(): Operation[] {
    return Array.from(this.#entries.values(), ({ record }) => record.snapshot);
  }

  events(id: string, { signal }: { signal?: AbortSignal }): AsyncIterable<Operation> {
    return this.#entry(id).record.snapshots(signal);
  }

  async cancel(id: string): Promise<Operation> {
    const entry = this.#entry(id);
    const { kind } = entry.record.snapshot;
    if (!entry.record.isFinal) {
      entry.controller.abort(
        new UserError('OPERATION_CANCELLED', `Cannot finish "${kind}" (${id}): it was cancelled`),
      );
    }
    await entry.ended;
    return entry.record.snapshot;
  }

  prune(keepMs: number): void {
    const oldest = this.#clock.now() - keepMs;
    for (const [id, { record }] of this.#entries) {
      const { finishedAt } = record.snapshot;
      if (finishedAt !== undefined && Date.parse(finishedAt) < oldest) this.#entries.delete(id);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const running = [...this.#entries.values()].filter(({ record }) => !record.isFinal);
    for (const { controller, record } of running) controller.abort(stopping(record.snapshot.kind));
    await Promise.all(running.map(({ ended }) => ended));
  }

  #entry(id: string): Entry {
    const entry = this.#entries.get(id);
    if (entry) return entry;
    throw new UserError(
      'OPERATION_NOT_FOUND',
      `Cannot find operation "${id}": none has this id, or it ended a while ago`,
    );
  }
}

async function run(entry: Entry, body: Body): Promise<void> {
  const { record, log } = entry;
  const begin = performance.now();
  let outcome: Outcome;
  try {
    outcome = { status: 'succeeded', result: await body(contextOf(entry)) };
  } catch (error) {
    outcome = failureOf(error, entry);
  }
  record.finish(outcome);
  const { status, stage } = record.snapshot;
  log.info(
    { status, stage, code: outcome.error?.code, durationMs: Math.round(performance.now() - begin) },
    'operation ends',
  );
}

function contextOf({ record, controller, log }: Entry): OperationContext {
  return {
    id: record.snapshot.id,
    signal: controller.signal,
    log,
    stage(name, detail) {
      log.debug({ stage: name, detail }, 'stage');
      record.enterStage(name, detail);
    },
    detail: (detail) => record.change({ detail }),
    progress: (done, total, unit) =>
      record.change({ progress: { done, unit, ...(total === undefined ? {} : { total }) } }),
    subject: (vm) => record.change({ vm: { id: vm.id, name: vm.name } }),
  };
}

/** A cancelled operation whose rollback went wrong has failed: something may be left behind. */
function failureOf(error: unknown, { record, controller: { signal }, log }: Entry): Outcome {
  const { id } = record.snapshot;
  if (signal.aborted && isCausedBy(error, signal.reason)) {
    const reason = isUserError(signal.reason) ? { error: describeUserError(signal.reason, id) } : {};
    return { status: 'cancelled', ...reason };
  }
  const expected = isUserError(error) ? error : translateHostFailure(error);
  if (expected) return { status: 'failed', error: describeUserError(expected, id) };
  log.error({ err: error }, 'unexpected error');
  return { status: 'failed', error: describeBug(`operation ${id}`, id) };
}

/** Drivers may wrap the reason in an error of their own, Node in an AbortError. */
function isCausedBy(error: unknown, reason: unknown): boolean {
  for (let cause = error; cause !== undefined && cause !== null; cause = causeOf(cause)) {
    if (cause === reason || isAbort(cause)) return true;
  }
  return false;
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined;
}

function stopping(kind: OperationKind): UserError {
  return new UserError('DAEMON_STOPPING', `Cannot finish "${kind}": the daemon is stopping`, {
    hint: 'try again: the next command starts the daemon',
  });
}
