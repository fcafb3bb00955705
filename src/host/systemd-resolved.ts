import type { Abortable } from '#base/abort.ts';
import { CommandError, runCommand } from './run-command.ts';

const TIMEOUT_MS = 3000;

/** What `resolvectl VERB` prints; undefined where systemd-resolved is not there or does not answer. */
export async function runResolvectl(verb: string, { signal }: Abortable = {}): Promise<string | undefined> {
  try {
    const options = { signal, timeoutMs: TIMEOUT_MS };
    return (await runCommand('resolvectl', ['--no-pager', verb], options)).stdout;
  } catch (error) {
    if (error instanceof CommandError) return undefined;
    throw error;
  }
}
