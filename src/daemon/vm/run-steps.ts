import { joinErrors, messageOf } from '#base/errors.ts';
import type { OperationContext } from '../operation/operations.ts';

/** One step of a lifecycle operation. */
export interface Step {
  /** The stage that the user sees. */
  name: string;
  run(context: OperationContext): Promise<void>;
  /** Takes back what `run` did, also when `run` failed half way; may run twice. */
  undo?(): Promise<void>;
}

/** Called before and after each step; tests crash the daemon here. */
export type Failpoint = (name: string) => void;

/**
 * Runs the steps in order. When one fails, it and those before it are undone in reverse and
 * the first error is thrown, with the errors of the undoing in `details` of the log.
 */
export async function runSteps(
  steps: readonly Step[],
  context: OperationContext,
  failpoint: Failpoint = () => {},
): Promise<void> {
  const begun: Step[] = [];
  try {
    for (const step of steps) {
      context.signal.throwIfAborted();
      context.stage(step.name);
      begun.push(step);
      failpoint(`${step.name}:before`);
      await step.run(context);
      failpoint(`${step.name}:after`);
    }
  } catch (error) {
    context.log.warn({ error: messageOf(error) }, 'step failed, rolling back');
    const undoError = await undoSteps(begun.toReversed());
    if (undoError) context.log.error({ err: undoError }, 'rolling back failed');
    throw error;
  }
}

/** Runs every part whatever the others do; throws their errors joined. */
export async function runAll(parts: readonly (() => Promise<unknown>)[], message: string): Promise<void> {
  const errors: unknown[] = [];
  for (const part of parts) {
    try {
      await part();
    } catch (error) {
      errors.push(error);
    }
  }
  const joined = joinErrors(errors, message);
  if (joined) throw joined;
}

async function undoSteps(steps: readonly Step[]): Promise<Error | undefined> {
  try {
    await runAll(
      steps.map((step) => () => step.undo?.() ?? Promise.resolve()),
      'undo',
    );
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
