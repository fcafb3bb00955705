import { buildCommand } from '@stricli/core';
import { UserError } from '#contract/errors.ts';
import type { NetworkMode, SetVmRequest, VmChange } from '#contract/owner/vm.ts';
import type { CliContext } from '../../context.ts';
import { buildChoice, jsonFlag, parseDiskSize, parseMemory, parseVcpus } from '../../parameters.ts';
import { forSeveralVms } from '../../several-vms.ts';
import { parseAutoStop, type AutoStop } from './auto-stop.ts';
import { vmsPositional } from './vm-parameter.ts';

interface Flags {
  readonly name?: string;
  readonly vcpu?: number;
  readonly memory?: number;
  readonly diskSize?: number;
  readonly network?: NetworkMode;
  readonly autoStop?: AutoStop;
  readonly rm?: boolean;
  readonly json: boolean;
}

function toRequest(flags: Flags): SetVmRequest {
  return {
    ...(flags.name !== undefined && { name: flags.name }),
    ...(flags.vcpu !== undefined && { vcpus: flags.vcpu }),
    ...(flags.memory !== undefined && { memoryMiB: flags.memory }),
    ...(flags.diskSize !== undefined && { diskBytes: flags.diskSize }),
    ...(flags.network !== undefined && { network: flags.network }),
    ...(flags.autoStop !== undefined && {
      autoStopAfterMs: flags.autoStop === 'default' ? null : flags.autoStop,
    }),
    ...(flags.rm !== undefined && { autoRemove: flags.rm }),
  };
}

const WORDS: Readonly<Record<VmChange, string>> = {
  name: "the guest's own hostname",
  vcpus: 'vCPUs',
  memoryMiB: 'memory',
  diskBytes: "the file system's size",
  network: 'network',
  autoRemove: 'removal',
  autoStopAfterMs: 'auto-stop',
};

async function setVms(this: CliContext, flags: Flags, ...references: string[]): Promise<void> {
  const request = toRequest(flags);
  if (Object.keys(request).length === 0) {
    throw new UserError('USAGE', 'Cannot change a VM: nothing to change was given', {
      hint: 'banger vm set --help lists what can be changed',
    });
  }
  if (request.name !== undefined && references.length > 1) {
    throw new UserError('USAGE', 'Cannot give several VMs one name', { hint: 'give --name with one VM' });
  }
  await forSeveralVms(this, {
    references,
    json: flags.json,
    begin: (client, reference) => client.vms.set(reference, request),
    toJson: (changed) => changed,
    note: (name, { atNextStart }) => {
      if (atNextStart.length === 0) return;
      const what = atNextStart.map((change) => WORDS[change]).join(', ');
      this.output.note(`"${name}" runs: ${what} will change at its next start (banger vm restart ${name})`);
    },
  });
}

const optional = { kind: 'parsed', optional: true } as const;

export const setVmCommand = buildCommand({
  func: setVms,
  parameters: {
    flags: {
      name: { ...optional, parse: String, brief: 'Another name', placeholder: 'name' },
      vcpu: { ...optional, parse: parseVcpus, brief: 'Number of virtual CPUs', placeholder: 'n' },
      memory: {
        ...optional,
        parse: parseMemory,
        brief: 'Memory: 512M, 2G; a plain number is MiB',
        placeholder: 'size',
      },
      diskSize: {
        ...optional,
        parse: parseDiskSize,
        brief: 'Size of the root disk: 20G. It only grows; its file system grows with it',
        placeholder: 'size',
      },
      network: {
        ...optional,
        parse: buildChoice<NetworkMode>('network', ['user', 'none']),
        brief: 'user: outbound network; none: no network card',
        placeholder: 'mode',
      },
      autoStop: {
        ...optional,
        parse: parseAutoStop,
        brief: 'Stop it after so long without use: 2h; 0 never, default as configured',
        placeholder: 'time',
      },
      rm: { kind: 'boolean', brief: 'Whether it is deleted when it stops', optional: true },
      json: jsonFlag,
    },
    positional: vmsPositional,
  },
  docs: {
    brief: 'Change the size, the name or the habits of VMs',
    fullDescription: `Change VMs; print the name of each. Name, disk and auto-stop change at once, also while a VM runs; vCPUs, memory and network at its next start, and that is said.

  banger vm set --memory 4G --vcpu 4 demo
  banger vm set --disk-size 40G demo
  banger vm set --auto-stop 2h web db`,
  },
});
