import { formatSize } from '#base/sizes.ts';
import { isUserError } from '#contract/errors.ts';
import type { CreateVmRequest, Vm, VmSpec } from '#contract/owner/vm.ts';
import type { BangerClient } from '#sdk/client.ts';
import type { CliContext } from './context.ts';
import { followOperation, type Followed } from './follow-operation.ts';
import type { StopSignals } from './stop-signals.ts';

interface NewVm {
  id: string;
  name: string;
}

export interface CreateVmOptions {
  client: BangerClient;
  signals: StopSignals;
  request: CreateVmRequest;
  /** Called as soon as the VM has a name, long before it runs. */
  onVm?: (vm: NewVm) => void;
}

/** Makes a VM; shows its size, the steps, what it publishes, and that it stays when its guest never answers, on stderr. */
export async function createVm(context: CliContext, options: CreateVmOptions): Promise<Followed<Vm>> {
  const { client } = options;
  let begun: NewVm | undefined;
  const onVm = async (vm: NewVm) => {
    begun = vm;
    options.onVm?.(vm);
    const spec = (await findVm(client, vm.id))?.spec;
    if (spec) context.output.note(formatSpec(vm.name, spec));
  };
  const made = await follow(context, options, onVm).catch(async (error: unknown) => {
    if (begun && isUserError(error)) await noteKept(context, client, begun.id);
    throw error;
  });
  for (const { hostAddress, hostPort, guestPort, protocol } of made.value.published) {
    context.output.note(`${guestPort}/${protocol} is published at ${hostAddress}:${hostPort}`);
  }
  return made;
}

function follow(
  context: CliContext,
  { client, signals, request }: CreateVmOptions,
  onVm: (vm: NewVm) => Promise<void>,
): Promise<Followed<Vm>> {
  return followOperation(context, () => client.vms.create(request), { signals, onVm });
}

/** A creation that fails is rolled back, unless the guest runs and does not answer: then the VM is left to be looked at. */
async function noteKept({ output }: CliContext, client: BangerClient, id: string): Promise<void> {
  const vm = await findVm(client, id).catch(() => undefined); // what the creation failed with says more
  if (vm?.state !== 'running') return;
  const { name } = vm;
  output.note(
    `"${name}" stays for a look: \`banger vm logs ${name}\`, remove it with \`banger vm delete -f ${name}\``,
  );
}

/** ASCII only: not every terminal speaks UTF-8. */
export function formatSpec(name: string, spec: VmSpec): string {
  const network = spec.network === 'none' ? ' | no network' : '';
  return `spec: ${name} | ${spec.vcpus} vCPU | ${spec.memoryMiB} MiB | ${formatSize(spec.diskBytes)} disk${network}`;
}

/** Undefined when the creation has already failed and rolled back. */
async function findVm(client: BangerClient, id: string): Promise<Vm | undefined> {
  const vms = await client.vms.list();
  return vms.find((vm) => vm.id === id);
}
