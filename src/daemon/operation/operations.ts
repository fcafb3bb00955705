import type { Logger } from '#base/log.ts';
import type { ProgressReporter } from '#base/progress.ts';
import type { Operation, OperationKind, OperationResult } from '#contract/owner/operation.ts';

export type { OperationResult };

/** What the body of an operation is given. `detail` and `progress` belong to the stage that runs. */
export interface OperationContext extends ProgressReporter {
  readonly id: string;
  /** Aborts when the operation is cancelled or the daemon shuts down. */
  readonly signal: AbortSignal;
  /** Every line carries the operation id. */
  readonly log: Logger;
  stage(name: string, detail?: string): void;
  /** Which VM it is about, once that is known. */
  subject(vm: { id: string; name: string }): void;
}

/** Runs what takes long in the background and tells anybody who asks how far it is. */
export interface Operations {
  /** Begins at once and returns the first snapshot; never throws what `body` throws. */
  begin(
    start: { kind: OperationKind; vm?: { id: string; name: string } },
    body: (context: OperationContext) => Promise<OperationResult>,
  ): Operation;
  /** @throws UserError `OPERATION_NOT_FOUND` */
  get(id: string): Operation;
  list(): Operation[];
  /** The snapshot as it is now, then each change, until a final status (which is the last one). Slow readers get the newest, not every one. */
  events(id: string, options: { signal?: AbortSignal }): AsyncIterable<Operation>;
  /** Asks it to stop; resolves when it has rolled back. Idempotent. */
  cancel(id: string): Promise<Operation>;
  /** Forgets operations that finished more than `keepMs` ago. */
  prune(keepMs: number): void;
  /** Cancels what runs and waits for it. */
  close(): Promise<void>;
}
