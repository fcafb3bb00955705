import { isUserError } from '#contract/errors.ts';
import type { BangerClient } from '#sdk/client.ts';
import type { CliContext } from '../context.ts';
import { EXIT } from '../output/error.ts';
import { reportFailure } from '../output/report.ts';
import type { StopSignals } from '../stop-signals.ts';

export interface RemoveOptions {
  client: BangerClient;
  signals: StopSignals;
  vm: { id: string; name: string };
}

const REMOVE_MS = 30_000;

/** Deletes a VM that must not stay. Ctrl-C does not stop it, time does. */
export async function deleteVmForSure(
  context: CliContext,
  { client, signals, vm }: RemoveOptions,
): Promise<void> {
  const note = () => context.output.note(`deleting "${vm.name}"`);
  using _ = signals.handle(note);
  const signal = AbortSignal.timeout(REMOVE_MS);
  try {
    const deletion = await client.vms.delete(vm.id, { force: true, signal });
    await deletion.result();
  } catch (error) {
    if (isUserError(error, 'VM_NOT_FOUND')) return; // it powered off and removed itself
    reportFailure(error, { output: context.output, json: false });
    context.output.note(`"${vm.name}" may still be there: \`banger vm delete -f ${vm.name}\``);
    if (context.exitStatus === EXIT.ok) context.exitStatus = EXIT.failure;
  }
}
