import { buildCommand } from '@stricli/core';
import { formatSize } from '#base/sizes.ts';
import { isUserError, type UserError } from '#contract/errors.ts';
import type { ServiceStatus } from '#contract/owner/service.ts';
import type { PublishedPort, Vm } from '#contract/owner/vm.ts';
import type { BangerClient } from '#sdk/client.ts';
import type { CliContext } from '../../context.ts';
import { formatElapsed } from '../../elapsed.ts';
import { formatFields, type Field } from '../../output/fields.ts';
import { jsonFlag } from '../../parameters.ts';
import { formatService } from '../../service-text.ts';
import { vmPositional } from './vm-parameter.ts';

interface Flags {
  readonly json: boolean;
}

function fieldsOf({ spec, ...vm }: Vm, service: string | undefined): readonly Field[] {
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
    ...runFieldsOf(vm.run),
    ['service', service],
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

function runFieldsOf(run: Vm['run']): readonly Field[] {
  if (!run) return [];
  return [
    ['entrypoint', formatWords(run.entrypoint)],
    ['command', formatWords(run.cmd)],
    ['environment', formatWords(run.env)],
    ['working folder', run.workingDir],
    ['user', run.user],
    ['exposed ports', run.exposedPorts?.join(', ')],
    ['stop signal', run.stopSignal],
    ['labels', run.labels && JSON.stringify(run.labels)],
    ['restart', run.isService ? run.restart : undefined],
  ];
}

function formatWords(words: readonly string[] | undefined): string | undefined {
  return words && JSON.stringify(words);
}

type Service = { status: ServiceStatus } | { error: UserError };

/** Undefined for a VM without one, and for one that does not run. What the guest does not say is no reason to say nothing of the VM. */
async function askService(client: BangerClient, { id, state, run }: Vm): Promise<Service | undefined> {
  if (state !== 'running' || !run?.isService) return undefined;
  try {
    return { status: await client.vms.service(id) };
  } catch (error) {
    if (isUserError(error)) return { error };
    throw error;
  }
}

function formatAnswer(service: Service): string {
  return 'status' in service ? formatService(service.status) : `not known: ${service.error.message}`;
}

function toJson(vm: Vm, service: Service | undefined): object {
  if (!service) return vm;
  if ('status' in service) return { ...vm, service: service.status };
  return { ...vm, serviceError: { code: service.error.code, message: service.error.message } };
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
    const service = await askService(client, vm);
    if (json) this.output.json(toJson(vm, service));
    else this.output.text(formatFields(fieldsOf(vm, service && formatAnswer(service)), this.output.style));
  },
  parameters: { flags: { json: jsonFlag }, positional: vmPositional },
  docs: {
    brief: 'Show everything about a VM',
    fullDescription: `Show everything about a VM: what it has, how it is run, and how its service is.

  banger vm show demo
  banger vm show --json demo`,
  },
});
