import { CommandError, runCommand } from '#host/run-command.ts';
import type { CommandOptions, CommandResult } from '#host/run-command.ts';
import type { Abortable } from '#base/abort.ts';
import { BUILD_ENVIRONMENT, hasTool } from './build-tools.ts';

/**
 * How the processes of a build are held together, so that none outlives an abort or the daemon's own death.
 *
 * - `root`: a PID and mount namespace of its own
 * - `user-namespace`: the same inside a user namespace in which the caller is root and has its subordinate ids
 * - `none`: the host allows neither (an unprivileged container): only the first process of the tree is ended
 */
export type Containment = 'root' | 'user-namespace' | 'none';

const NAMESPACES = ['--mount', '--mount-proc', '--propagation', 'private', '--pid', '--fork', '--kill-child'];
const UNSHARE: Record<Exclude<Containment, 'none'>, readonly string[]> = {
  root: ['unshare', ...NAMESPACES],
  'user-namespace': ['unshare', '--user', '--map-root-user', '--map-auto', ...NAMESPACES],
};

// State is written under umask 077, but what a build makes is for the guest's users too.
// unshare ignores SIGTERM, so the shell takes it, and its death takes the tree along.
const CONTAINED_SCRIPT = 'umask 022; setpriv --pdeathsig KILL "$@"; exit $?';
const BARE_SCRIPT = 'umask 022; exec "$@"';

/** The strongest containment this host allows the caller. */
export async function findContainment(options: Abortable = {}): Promise<Containment> {
  const candidate = process.getuid?.() === 0 ? 'root' : 'user-namespace';
  if (!(await hasTool('unshare'))) return 'none';
  try {
    await runContained(candidate, ['true'], { ...options, timeoutMs: 10_000 });
    return candidate;
  } catch (error) {
    if (error instanceof CommandError) return 'none';
    throw error;
  }
}

/**
 * Runs a build step to its end; aborting ends all of its processes.
 *
 * @throws CommandError, the signal's reason
 */
export function runContained(
  containment: Containment,
  command: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const env = { ...BUILD_ENVIRONMENT, ...options.env };
  return runCommand('setpriv', containedArguments(containment, command), { cwd: '/', ...options, env });
}

export function containedArguments(containment: Containment, command: readonly string[]): string[] {
  if (containment === 'none') return ['--pdeathsig', 'TERM', 'sh', '-c', BARE_SCRIPT, 'sh', ...command];
  return ['--pdeathsig', 'KILL', 'sh', '-c', CONTAINED_SCRIPT, 'sh', ...UNSHARE[containment], ...command];
}
