import type { Abortable } from '#base/abort.ts';
import { CommandError, runCommand } from '#host/run-command.ts';

const TIMEOUT_MS = 10_000;

/**
 * The version of passt. Some builds, that of Debian 12 among them, call themselves `unknown version`: there the package's
 * version says what it is.
 *
 * @throws CommandError when passt cannot be run
 */
export async function passtVersion(passt: string, { signal }: Abortable = {}): Promise<string> {
  const { stdout } = await runCommand(passt, ['--version'], { signal, timeoutMs: TIMEOUT_MS });
  const version = parsePasstVersion(stdout);
  if (version !== undefined) return version;
  return (await packageVersion({ signal })) ?? 'of unknown version';
}

/** Undefined when it does not know itself. */
export function parsePasstVersion(output: string): string | undefined {
  const version = /^passt (.+)$/m.exec(output)?.[1]?.trim();
  return version === 'unknown version' ? undefined : version;
}

async function packageVersion({ signal }: Abortable): Promise<string | undefined> {
  try {
    const { stdout } = await runCommand('dpkg-query', ['--show', '--showformat=${Version}', 'passt'], {
      signal,
      timeoutMs: TIMEOUT_MS,
    });
    return stdout.trim() === '' ? undefined : `${stdout.trim()} (Debian package)`;
  } catch (error) {
    if (error instanceof CommandError) return undefined; // no Debian, or not from a package
    throw error;
  }
}
