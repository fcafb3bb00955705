import { formatSize } from '#base/sizes.ts';
import type { CreateVmRequest, Vm, VmSpec } from '#contract/owner/vm.ts';
import type { BangerClient } from '#sdk/client.ts';
import type { CliContext } from './context.ts';
import { followOperation, type Followed } from './follow-operation.ts';
import type { StopSignals } from './stop-signals.ts';

export interface CreateVmOptions {
  client: BangerClient;
  signals: StopSignals;
  request: CreateVmRequest;
  /** Called as soon as the VM has a name, long before it runs. */
  onVm?: (vm: { id: string; name: string }) => void;
}

/** Makes a VM; shows its size, the steps and what it publishes on stderr. */
export async function createVm(context: CliContext, options: CreateVmOptions): Promise<Followed<Vm>> {
  const { client, signals, request, onVm } = options;
  const made = await followOperation(context, () => client.vms.create(request), {
    signals,
    async onVm(vm) {
      onVm?.(vm);
      const spec = await findSpec(client, vm.id);
      if (spec) context.output.note(formatSpec(vm.name, spec));
    },
  });
  for (const { hostAddress, hostPort, guestPort, protocol } of made.value.published) {
    context.output.note(`${guestPort}/${protocol} is published at ${hostAddress}:${hostPort}`);
  }
  return made;
}

/** ASCII only: not every terminal speaks UTF-8. */
export function formatSpec(name: string, spec: VmSpec): string {
  const network = spec.network === 'none' ? ' | no network' : '';
  return `spec: ${name} | ${spec.vcpus} vCPU | ${spec.memoryMiB} MiB | ${formatSize(spec.diskBytes)} disk${network}`;
}

/** Undefined when the creation has already failed and rolled back. */
async function findSpec(client: BangerClient, id: string): Promise<VmSpec | undefined> {
  const vms = await client.vms.list();
  return vms.find((vm) => vm.id === id)?.spec;
}
