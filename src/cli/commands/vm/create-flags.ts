import { UserError } from '#contract/errors.ts';
import type { Environment } from '#base/environment.ts';
import type { CreateVmRequest } from '#contract/owner/vm.ts';
import { parseAutoStop, type AutoStop } from './auto-stop.ts';
import { onOff, parseDiskSize, parseMemory, parseVcpus } from '../../parameters.ts';
import { runFlags, toRunRequest, type RunFlags } from './run-flags.ts';

/** What `vm run` and `vm create` have in common. */
export interface CreateFlags extends RunFlags {
  readonly name?: string;
  readonly image?: string;
  readonly kernel?: string;
  readonly vcpu?: number;
  readonly memory?: number;
  readonly diskSize?: number;
  readonly noNetwork: boolean;
  readonly autoStop?: AutoStop;
}

export const createFlags = {
  name: {
    kind: 'parsed',
    parse: String,
    brief: 'A DNS label: a-z, 0-9 and hyphens; made up when left out',
    placeholder: 'name',
    optional: true,
  },
  image: {
    kind: 'parsed',
    parse: String,
    brief: 'Image to begin from; see `banger image list`',
    placeholder: 'image',
    optional: true,
  },
  kernel: {
    kind: 'parsed',
    parse: String,
    brief: 'Kernel to boot; see `banger kernel list`; left out: as the image says, else the default one',
    placeholder: 'kernel',
    optional: true,
  },
  vcpu: {
    kind: 'parsed',
    parse: parseVcpus,
    brief: 'Number of virtual CPUs',
    placeholder: 'n',
    optional: true,
  },
  memory: {
    kind: 'parsed',
    parse: parseMemory,
    brief: 'Memory: 512M, 2G; a plain number is MiB',
    placeholder: 'size',
    optional: true,
  },
  diskSize: {
    kind: 'parsed',
    parse: parseDiskSize,
    brief: 'Size of the root disk: 8G, 20GiB',
    placeholder: 'size',
    optional: true,
  },
  noNetwork: onOff('Give it no network card'),
  autoStop: {
    kind: 'parsed',
    parse: parseAutoStop,
    brief: 'Stop it after so long without use: 2h; 0 never; left out: as configured',
    placeholder: 'time',
    optional: true,
  },
  ...runFlags,
} as const;

/** @throws UserError `INVALID_NAME`, early: a wrong name costs neither a daemon nor a round trip */
export async function toCreateRequest(flags: CreateFlags, env: Environment): Promise<CreateVmRequest> {
  if (flags.name !== undefined) await checkName(flags.name);
  return {
    ...(flags.name === undefined ? {} : { name: flags.name }),
    ...(flags.image === undefined ? {} : { image: flags.image }),
    ...(flags.kernel === undefined ? {} : { kernel: flags.kernel }),
    ...(flags.vcpu === undefined ? {} : { vcpus: flags.vcpu }),
    ...(flags.memory === undefined ? {} : { memoryMiB: flags.memory }),
    ...(flags.diskSize === undefined ? {} : { diskBytes: flags.diskSize }),
    ...(flags.noNetwork ? { network: 'none' } : {}),
    ...(typeof flags.autoStop === 'number' ? { autoStopAfterMs: flags.autoStop } : {}),
    ...toRunRequest(flags, env),
  };
}

/** The words after `--`, for the service. @throws UserError `USAGE` for a `--` with nothing behind it */
export function toCommand(command: readonly string[] | undefined, name: string): { command?: string[] } {
  if (!command) return {};
  if (command.length > 0) return { command: [...command] };
  throw new UserError('USAGE', `Cannot run "${name}": there is no command after "--"`, {
    hint: 'leave "--" out for the command of the image',
  });
}

async function checkName(name: string): Promise<void> {
  const { VM_NAME_PATTERN } = await import('#contract/owner/vm.ts');
  if (VM_NAME_PATTERN.test(name)) return;
  throw new UserError('INVALID_NAME', `Cannot name a VM "${name}": it is not a DNS label`, {
    hint: 'use 1 to 63 of a-z, 0-9 and hyphens, with no hyphen at the ends',
  });
}
