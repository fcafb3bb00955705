import type { RunConfig } from '#contract/owner/image.ts';
import type { RunOverrides, VmRun } from '#contract/owner/vm-run.ts';
import { commandOf } from '#contract/vm-command.ts';
import { mergeVariables } from './variables.ts';

/** What an image's own command may be for the agent to boot it, which it finds by itself. */
const INITS: ReadonlySet<string> = new Set(
  ['init', 'systemd', 'openrc-init'].flatMap((name) =>
    ['/sbin', '/bin', '/usr/sbin', '/usr/bin', '/lib/systemd', '/usr/lib/systemd'].map(
      (folder) => `${folder}/${name}`,
    ),
  ),
);

type Words = Pick<RunConfig, 'entrypoint' | 'cmd'>;

/**
 * How a VM is run, of what its image says and what its maker wants, with the rules of Docker: a command replaces the image's, an
 * entrypoint replaces both. Null when nobody said anything.
 */
export function resolveRun(config: RunConfig | undefined, overrides: RunOverrides): VmRun | null {
  if (!config && !saysAnything(overrides)) return null;
  const words = resolveWords(config ?? {}, overrides);
  const env = mergeVariables(config?.env ?? [], overrides.env ?? {});
  const { exposedPorts, labels, stopSignal } = config ?? {};
  const user = overrides.user ?? config?.user;
  const workingDir = overrides.cwd ?? (config && absolute(config.workingDir));
  return {
    ...words,
    ...(env.length > 0 && { env }),
    ...(workingDir !== undefined && { workingDir }),
    ...(user !== undefined && { user }),
    ...(labels && { labels }),
    ...(exposedPorts && { exposedPorts }),
    ...(stopSignal !== undefined && { stopSignal }),
    isService: (overrides.service ?? true) && commandOf(words).length > 0,
    restart: overrides.restart ?? 'on-failure',
  };
}

function saysAnything({ entrypoint, command, env, cwd, user }: RunOverrides): boolean {
  return [entrypoint, command, env, cwd, user].some((value) => value !== undefined);
}

function resolveWords(config: RunConfig, overrides: RunOverrides): Words {
  const image = withoutInit(config);
  const entrypoint = overrides.entrypoint ?? image.entrypoint ?? [];
  const cmd = overrides.command ?? (overrides.entrypoint ? [] : (image.cmd ?? []));
  return { ...(entrypoint.length > 0 && { entrypoint }), ...(cmd.length > 0 && { cmd }) };
}

/** The init of an image is booted, with all that is in it; it cannot be run a second time beside itself. */
function withoutInit(config: RunConfig): Words {
  return INITS.has(commandOf(config)[0] ?? '') ? {} : config;
}

/** As Docker has it: without one `/`, and a relative one is meant from there. */
function absolute(folder = '/'): string {
  return folder.startsWith('/') ? folder : `/${folder}`;
}
