import { formatSize } from '#base/sizes.ts';
import type { Vm } from '#contract/owner/vm.ts';
import type { CliContext } from './context.ts';
import { formatAge } from './elapsed.ts';

const HEAD = ['ID', 'NAME', 'STATE', 'IMAGE', 'ADDRESS', 'VCPU', 'MEMORY', 'DISK', 'CREATED'];

export interface ListOptions {
  json: boolean;
  /** Only the ids. */
  quiet: boolean;
}

export async function printVms(
  { output }: CliContext,
  vms: readonly Vm[],
  { json, quiet }: ListOptions,
): Promise<void> {
  if (json) output.json(vms);
  else if (quiet) for (const vm of vms) output.line(vm.id);
  else
    await output.table(
      HEAD,
      vms.map((vm) => toRow(vm, Date.now())),
    );
}

function toRow(vm: Vm, now: number): string[] {
  return [
    vm.id,
    vm.name,
    vm.state,
    vm.spec.image,
    addressOf(vm),
    String(vm.spec.vcpus),
    formatSize(vm.spec.memoryMiB * 2 ** 20),
    formatSize(vm.spec.diskBytes),
    formatAge(now - Date.parse(vm.createdAt)),
  ];
}

/** Where this host reaches it. The guest's own address is the same in every VM. */
function addressOf({ state, hostAddress, address }: Vm): string {
  return (state === 'running' ? hostAddress : undefined) ?? address ?? '-';
}
