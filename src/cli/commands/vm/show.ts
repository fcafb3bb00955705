import { buildCommand } from '@stricli/core';
import { formatSize } from '#base/sizes.ts';
import type { PublishedPort, Vm } from '#contract/owner/vm.ts';
import type { CliContext } from '../../context.ts';
import { formatElapsed } from '../../elapsed.ts';
import { formatFields } from '../../output/fields.ts';
import { jsonFlag } from '../../parameters.ts';
import { vmPositional } from './vm-parameter.ts';

interface Flags {
  readonly json: boolean;
}

function fieldsOf({ spec, ...vm }: Vm): readonly (readonly [string, string | undefined])[] {
  return [
    ['id', vm.id],
    ['name', vm.name],
    ['state', vm.state],
    ['last error', vm.lastError && `${vm.lastError.message} [${vm.lastError.code}]`],
    ['image', `${spec.image} (${vm.imageId})`],
    ['kernel', vm.kernelId],
    ['vcpus', String(spec.vcpus)],
    ['memory', `${spec.memoryMiB} MiB`],
    ['disk', formatSize(spec.diskBytes)],
    ['network', spec.network],
    ['address', vm.address],
    ['address on the host', vm.hostAddress],
    ['published ports', vm.published.map(formatPublished).join(', ') || undefined],
    ['at the next start', vm.pendingChanges?.join(', ')],
    ['init', vm.init],
    ['boot id', vm.bootId],
    ['hypervisor pid', vm.pid?.toString()],
    ['removed at stop', spec.autoRemove ? 'yes' : 'no'],
    ['created', vm.createdAt],
    ['started', vm.startedAt],
    ['stopped', vm.stoppedAt],
    ['last used', vm.touchedAt],
    ['auto-stop after', formatAutoStop(spec.autoStopAfterMs)],
  ];
}

function formatPublished({ hostAddress, hostPort, guestPort, protocol }: PublishedPort): string {
  return `${hostAddress}:${hostPort} -> ${guestPort}/${protocol}`;
}

function formatAutoStop(ms: number | undefined): string | undefined {
  if (ms === undefined) return undefined;
  return ms === 0 ? 'never' : formatElapsed(ms);
}

export const showVmCommand = buildCommand({
  async func(this: CliContext, { json }: Flags, reference: string) {
    using client = await this.connect();
    const vm = await client.vms.get(reference);
    if (json) this.output.json(vm);
    else this.output.text(formatFields(fieldsOf(vm), this.output.style));
  },
  parameters: { flags: { json: jsonFlag }, positional: vmPositional },
  docs: {
    brief: 'Show everything about a VM',
    fullDescription: `Show everything about a VM.

  banger vm show demo
  banger vm show --json demo`,
  },
});
