import { parseDiskSize } from '../../parameters.ts';
import { formatElapsed } from '../../elapsed.ts';
import type { CliContext } from '../../context.ts';
import { followOperation } from '../../follow-operation.ts';
import { StopSignals } from '../../stop-signals.ts';
import type { Image } from '#contract/owner/image.ts';
import type { BangerClient } from '#sdk/client.ts';
import type { OperationHandle } from '#sdk/operation-handle.ts';

/** Of every command that makes an image under a name that must be given. */
export const nameFlag = {
  kind: 'parsed',
  parse: String,
  brief: 'What the image is to be called',
  placeholder: 'name',
} as const;

export const sizeFlag = {
  kind: 'parsed',
  parse: parseDiskSize,
  brief: 'Size of its file system: 8G; left out: 8G, or what the content needs',
  placeholder: 'size',
  optional: true,
} as const;

export const kernelFlag = {
  kind: 'parsed',
  parse: String,
  brief: 'Kernel that its VMs boot; left out: the default one',
  placeholder: 'kernel',
  optional: true,
} as const;

/** Follows the operation that makes an image; prints its name, or all of it. */
export async function makeImage(
  context: CliContext,
  json: boolean,
  begin: (client: BangerClient) => Promise<OperationHandle<Image>>,
): Promise<void> {
  using client = await context.connect();
  using signals = new StopSignals();
  const { value: image, elapsedMs } = await followOperation(context, () => begin(client), { signals });
  const { output } = context;
  output.note(output.noteStyle.dim(`done in ${formatElapsed(elapsedMs)}`));
  if (json) output.json(image);
  else output.line(image.name);
}
