import type { Vm, VmChange } from '#contract/owner/vm.ts';
import type { VmRecord } from '#store/vm-repository.ts';
import type { AgentHello } from '#contract/guest/hello.ts';
import type { Handles, Launched } from './handles.ts';

/** What the API says of a VM: the record, and while it runs what is known of the machine. */
export function viewVm(record: VmRecord, handles: Handles, hello: AgentHello | undefined): Vm {
  const pending = handles.machine ? pendingChanges(record, handles.launched) : [];
  const address = handles.network?.guest.address.split('/')[0];
  return {
    id: record.id,
    name: record.name,
    state: record.state,
    spec: record.spec,
    imageId: record.imageId,
    kernelId: record.kernelId,
    ...(record.run && { run: record.run }),
    ...(hello && { bootId: hello.bootId, init: hello.init }),
    ...(address !== undefined && { address }),
    ...(handles.machine && { pid: handles.machine.process.pid }),
    ...(record.hostAddress !== null && { hostAddress: record.hostAddress }),
    published: record.published,
    ...(pending.length > 0 && { pendingChanges: pending }),
    ...(record.touchedAtMs !== null && { touchedAt: isoTime(record.touchedAtMs) }),
    createdAt: isoTime(record.createdAtMs),
    ...(record.startedAtMs !== null && { startedAt: isoTime(record.startedAtMs) }),
    ...(record.stoppedAtMs !== null && { stoppedAt: isoTime(record.stoppedAtMs) }),
    ...(record.lastError && { lastError: record.lastError }),
  };
}

/** In what the record differs from the machine that runs; nothing when it is not known how that was launched. */
export function pendingChanges({ name, spec }: VmRecord, launched: Launched | undefined): VmChange[] {
  if (!launched) return [];
  const wanted = { name, ...spec };
  return (['name', 'vcpus', 'memoryMiB', 'diskBytes', 'network'] as const).filter(
    (key) => wanted[key] !== launched[key],
  );
}

function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
