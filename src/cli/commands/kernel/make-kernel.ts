import type { Kernel } from '#contract/owner/kernel.ts';
import type { BangerClient } from '#sdk/client.ts';
import type { OperationHandle } from '#sdk/operation-handle.ts';
import type { CliContext } from '../../context.ts';
import { followOperation } from '../../follow-operation.ts';
import { StopSignals } from '../../stop-signals.ts';

/** Shows the making of a kernel and prints its name, or all of it. */
export async function makeKernel(
  context: CliContext,
  { json }: { json: boolean },
  begin: (client: BangerClient) => Promise<OperationHandle<Kernel>>,
): Promise<void> {
  using client = await context.connect();
  using signals = new StopSignals();
  const { value: kernel } = await followOperation(context, () => begin(client), { signals });
  if (json) context.output.json(kernel);
  else context.output.line(kernel.name);
}
