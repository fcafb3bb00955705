import type { Environment } from '#base/environment.ts';
import type { CreateVmRequest } from '#contract/owner/vm.ts';
import { readGivenVariables } from '../../guest/given-variables.ts';
import { buildChoice, onOff } from '../../parameters.ts';

/** Where, as whom and with what commands run. */
export interface PlaceFlags {
  readonly env?: readonly string[];
  readonly workdir?: string;
  readonly user?: string;
}

/** How a VM is run, instead of as its image says. */
export interface RunFlags extends PlaceFlags {
  readonly entrypoint?: string;
  readonly restart?: 'no' | 'on-failure' | 'always';
  readonly publishAll: boolean;
}

export const placeFlags = {
  env: {
    kind: 'parsed',
    parse: String,
    brief: 'Set a variable; a name alone passes on the one set here',
    placeholder: 'name=value',
    variadic: true,
    optional: true,
  },
  workdir: {
    kind: 'parsed',
    parse: String,
    brief: "Folder to run it in; default: as the VM's image says, else the home of the user",
    placeholder: 'folder',
    optional: true,
  },
  user: {
    kind: 'parsed',
    parse: String,
    brief: "User, uid, user:group or uid:gid; default: as the VM's image says, else root",
    placeholder: 'user',
    optional: true,
  },
} as const;

export const placeAliases = { e: 'env', w: 'workdir', u: 'user' } as const;

export const runFlags = {
  ...placeFlags,
  entrypoint: {
    kind: 'parsed',
    parse: String,
    brief: "Program instead of the image's entrypoint and command; empty: none",
    placeholder: 'program',
    optional: true,
  },
  restart: {
    kind: 'parsed',
    parse: buildChoice('restart policy', ['no', 'on-failure', 'always']),
    brief: 'Whether its service is started again when it ends: no, on-failure (the default), always',
    placeholder: 'policy',
    optional: true,
  },
  publishAll: onOff('Publish the ports that the image exposes on free ports of 127.0.0.1'),
} as const;

export const runAliases = { ...placeAliases, P: 'publishAll' } as const;

export function toRunRequest(flags: RunFlags, env: Environment): CreateVmRequest {
  const { entrypoint, workdir, user, restart } = flags;
  return {
    ...(entrypoint !== undefined && { entrypoint: entrypoint === '' ? [] : [entrypoint] }),
    ...(flags.env && { env: readGivenVariables(flags.env, env) }),
    ...(workdir !== undefined && { cwd: workdir }),
    ...(user !== undefined && { user }),
    ...(restart !== undefined && { restart }),
    ...(flags.publishAll && { publishAll: true }),
  };
}
