import type { Vm } from '#contract/owner/vm.ts';
import type { VmRecord } from '#store/vm-repository.ts';
import type { AgentHello } from '#contract/guest/hello.ts';
import type { Handles } from './handles.ts';

/** What the API says of a VM: the record, and while it runs what is known of the machine. */
export function viewVm(record: VmRecord, handles: Handles, hello: AgentHello | undefined): Vm {
  const address = handles.network?.guest.address.split('/')[0];
  return {
    id: record.id,
    name: record.name,
    state: record.state,
    spec: record.spec,
    imageId: record.imageId,
    kernelId: record.kernelId,
    ...(hello && { bootId: hello.bootId, init: hello.init }),
    ...(address !== undefined && { address }),
    ...(handles.machine && { pid: handles.machine.process.pid }),
    createdAt: isoTime(record.createdAtMs),
    ...(record.startedAtMs !== null && { startedAt: isoTime(record.startedAtMs) }),
    ...(record.stoppedAtMs !== null && { stoppedAt: isoTime(record.stoppedAtMs) }),
    ...(record.lastError && { lastError: record.lastError }),
  };
}

function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
