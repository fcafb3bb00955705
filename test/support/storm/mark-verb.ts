import { randomHex } from '#base/ids.ts';
import type { StormVm } from './storm-vm.ts';
import { run, type VerbContext } from './verbs.ts';

const beingMarked = new Set<StormVm>();

/** Looks whether what was written last is still there, and writes something else: of a guest with a shell and a disk. */
export async function markVerb(context: VerbContext): Promise<void> {
  const { vm } = context;
  if (vm.id === undefined || beingMarked.has(vm)) return;
  beingMarked.add(vm);
  try {
    await mark(context, vm.id);
  } finally {
    beingMarked.delete(vm);
  }
}

async function mark({ client, vm, signal }: VerbContext, id: string): Promise<void> {
  const { marker } = vm;
  const found = marker === undefined ? undefined : await run(client, vm, ['cat', '/root/mark'], signal);
  if (found !== undefined && found !== marker && vm.id === id)
    throw new Error(`${vm.name} has lost what was written: "${found}" instead of "${marker}"`);
  const next = randomHex(8);
  vm.marker = undefined;
  const written = await run(client, vm, ['sh', '-c', `echo ${next} > /root/mark && sync`], signal);
  if (written !== undefined && vm.id === id) vm.marker = next;
}
