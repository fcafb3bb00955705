import type { Abortable } from '#base/abort.ts';
import { UserError } from '#contract/errors.ts';
import type { Operation, OperationResult } from '#contract/owner/operation.ts';
import { parseErrorBody } from './error-body.ts';

export interface OperationOptions extends Abortable {
  /**
   * What an abort does to the operation itself: `false` (default) only stops watching, `true` also cancels it
   * and waits until it has rolled back before the signal's reason is thrown.
   */
  cancelOnAbort?: boolean;
}

/** What a handle needs of the client. */
export interface OperationSource {
  watch(id: string, options: Abortable): AsyncIterable<Operation>;
  cancel(id: string, options?: Abortable): Promise<Operation>;
}

export interface OperationHandleParts<T> {
  options: OperationOptions;
  source: OperationSource;
  first: Operation;
  /** What a successful operation gives its caller. */
  toResult: (result: OperationResult) => T;
}

/**
 * Something that takes long, running in the daemon.
 *
 * Iterate over it for snapshots as it goes (the newest is always the next one, some in between may be left out; the last one has
 * a final status), or just await {@link result}. Both work together and in any order. Dropping it leaves the operation running.
 *
 * @example
 * ```ts
 * const creation = await client.vms.create({ name: 'demo' });
 * for await (const { stage } of creation) console.error(stage);
 * const vm = await creation.result();
 * ```
 */
export class OperationHandle<T> implements AsyncIterable<Operation> {
  readonly #parts: OperationHandleParts<T>;
  #latest: Operation;

  constructor(parts: OperationHandleParts<T>) {
    this.#parts = parts;
    this.#latest = parts.first;
  }

  get id(): string {
    return this.#latest.id;
  }

  /** The newest snapshot that was seen; it changes only while somebody iterates or awaits {@link result}. */
  get latest(): Operation {
    return this.#latest;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Operation, void, undefined> {
    yield this.#latest;
    if (isFinal(this.#latest)) return;
    const { source, options } = this.#parts;
    const { signal, cancelOnAbort } = options;
    try {
      for await (const snapshot of source.watch(this.id, { signal })) {
        this.#latest = snapshot;
        yield snapshot;
      }
    } finally {
      if (signal?.aborted && cancelOnAbort && !isFinal(this.#latest))
        this.#latest = await source.cancel(this.id);
    }
  }

  /**
   * Waits for the end.
   *
   * @throws UserError with the code that the operation failed with; `OPERATION_CANCELLED` when it was cancelled;
   * `DAEMON_UNREACHABLE` when the daemon went away meanwhile; the signal's reason when that aborts
   */
  async result(): Promise<T> {
    if (!isFinal(this.#latest)) await drain(this);
    const { status, error, result } = this.#latest;
    if (status === 'succeeded') return this.#parts.toResult(result ?? {});
    if (error)
      throw parseErrorBody(
        { error: { operationId: this.id, ...error } },
        `Cannot finish operation "${this.id}"`,
      );
    throw new UserError('OPERATION_CANCELLED', `Cannot finish operation "${this.id}": it was cancelled`);
  }

  /** Asks the operation to stop; resolves when it has rolled back, with its last snapshot. Does nothing when it has ended. */
  async cancel(options: Abortable = {}): Promise<Operation> {
    this.#latest = await this.#parts.source.cancel(this.id, options);
    return this.#latest;
  }
}

export function isFinal(operation: Operation): boolean {
  return operation.status !== 'running';
}

async function drain(snapshots: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of snapshots);
}
