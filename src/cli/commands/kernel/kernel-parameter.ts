import { withTimeout } from '#base/abort.ts';
import { UserError } from '#contract/errors.ts';
import type { BangerClient } from '#sdk/client.ts';
import type { CliContext } from '../../context.ts';

const COMPLETION_MS = 1000;

/** A kernel that is here. */
export const kernelParameter = {
  brief: 'Name or id of the kernel, or the beginning of either',
  placeholder: 'kernel',
  parse: parseKernelReference,
  async proposeCompletions(this: CliContext): Promise<readonly string[]> {
    return proposeNames(this, (client, signal) => client.kernels.list({ signal }));
  },
} as const;

/** What starts with a dash was meant as a flag. */
export function parseKernelReference(text: string): string {
  if (text === '') {
    throw new UserError('USAGE', 'Cannot find a kernel: the name is empty', {
      hint: 'run `banger kernel list`',
    });
  }
  if (text.startsWith('-')) throw new UserError('USAGE', `Cannot read "${text}": there is no such flag`);
  return text;
}

export async function proposeNames(
  context: CliContext,
  list: (client: BangerClient, signal: AbortSignal) => Promise<readonly { name: string }[]>,
): Promise<readonly string[]> {
  const signal = withTimeout(COMPLETION_MS);
  try {
    using client = await context.connectIfRunning(signal);
    return client ? (await list(client, signal)).map(({ name }) => name) : [];
  } catch {
    return []; // a completion has nobody to tell
  }
}
