import { isUserError } from '#contract/errors.ts';
import type { Operation } from '#contract/owner/operation.ts';
import type { OperationHandle } from '#sdk/operation-handle.ts';
import type { CliContext } from './context.ts';
import { Interruption } from './interruption.ts';
import { StageDisplay } from './output/stages.ts';
import type { StopSignal, StopSignals } from './stop-signals.ts';

export interface FollowOptions {
  signals: StopSignals;
  /** Called once, as soon as it is known which VM the operation is about. */
  onVm?: (vm: { id: string; name: string }) => Promise<void>;
}

export interface Followed<T> {
  value: T;
  /** As the operation ended. */
  operation: Operation;
  elapsedMs: number;
}

/**
 * Begins an operation and shows where it is until it ends. The first Ctrl-C cancels it and waits until it has rolled
 * back, the second one leaves it to the daemon.
 *
 * @throws Interruption; what the operation failed with
 */
export async function followOperation<T>(
  context: CliContext,
  begin: () => Promise<OperationHandle<T>>,
  { signals, onVm }: FollowOptions,
): Promise<Followed<T>> {
  const { stderr, noteStyle } = context.output;
  using display = new StageDisplay({ stream: stderr, style: noteStyle });
  const abandoned = Promise.withResolvers<never>();
  const begun = begin();
  let asked: StopSignal | undefined;
  using _ = signals.handle((signal, count) => {
    asked = signal;
    if (count > 1) abandoned.reject(new Interruption(signal, 'interrupted; the daemon goes on cancelling'));
    else begun.then((handle) => handle.cancel()).catch(abandoned.reject);
  });
  const ended = begun
    .then((handle) => watch(handle, display, onVm))
    .catch((error: unknown) => {
      throw asked && isUserError(error, 'OPERATION_CANCELLED') ? new Interruption(asked) : error;
    });
  const value = await Promise.race([ended, abandoned.promise]);
  if (asked) signals.putBack(asked); // it came too late for the operation, so what comes next gets it
  return { value, operation: (await begun).latest, elapsedMs: display.elapsedMs };
}

async function watch<T>(
  handle: OperationHandle<T>,
  display: StageDisplay,
  onVm: FollowOptions['onVm'],
): Promise<T> {
  let isVmKnown = false;
  for await (const operation of handle) {
    if (operation.vm && !isVmKnown) {
      isVmKnown = true;
      await onVm?.(operation.vm);
    }
    showStage(operation, display);
  }
  const value = await handle.result();
  display.finish();
  return value;
}

function showStage(operation: Operation, display: StageDisplay): void {
  if (operation.status === 'running') display.update(operation);
}
