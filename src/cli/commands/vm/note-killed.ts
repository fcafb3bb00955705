import type { OperationResult } from '#contract/owner/operation.ts';
import type { CliContext } from '../../context.ts';
import { formatElapsed } from '../../elapsed.ts';

/** Says of a VM that was to be powered off that it was killed, and how long it had been waited for. */
export function noteKilled({ output }: CliContext, name: string, { stop, waitedMs }: OperationResult): void {
  if (stop !== 'killed') return;
  const late = waitedMs ? `did not power off within ${formatElapsed(waitedMs)} and ` : '';
  output.note(`"${name}" ${late}was killed`);
}
