import { messageOf } from '#base/errors.ts';
import { formatSize } from '#base/sizes.ts';
import { UserError } from '#contract/errors.ts';
import type { SetVmRequest, VmSpec } from '#contract/owner/vm.ts';
import type { VmRecord } from '#store/vm-repository.ts';
import type { OperationContext } from '../operation/operations.ts';
import type { Capabilities } from './capabilities.ts';
import { runSteps, type Failpoint, type Step } from './run-steps.ts';
import { checkVmName } from './vm-name.ts';
import { nameTaken, type VmRegistry } from './vm-registry.ts';
import { checkSpec, type HostSize } from './vm-spec.ts';

interface DiskOwner {
  /** Makes the disk larger and, where a guest runs, the file system on it. Does nothing when it is as large already. */
  growDisk(record: VmRecord, sizeBytes: number, context: OperationContext): Promise<void>;
}

/** What of a VM can be changed while its machine runs. */
export interface RunningMachine extends DiskOwner {
  /** Tells the guest its name. */
  rename(id: string, name: string, context: OperationContext): Promise<void>;
}

export interface ChangeParts {
  registry: VmRegistry;
  capabilities: Capabilities;
  running: RunningMachine;
  stopped: DiskOwner;
  host: HostSize;
  failpoint: Failpoint;
}

/**
 * Changes a VM: all that can be refused is refused first, then the disk grows, then the record is stored. Run again after a crash it
 * finds a disk that is as large already. The caller holds the VM's lock.
 *
 * @throws UserError `VM_NAME_TAKEN`, `INVALID_NAME`, `INVALID_ARGUMENT`, `HOST_MEMORY_EXCEEDED`, `DISK_TOO_SMALL`, `DISK_TOO_LARGE`
 */
export async function changeVm(
  parts: ChangeParts,
  { id, request }: { id: string; request: SetVmRequest },
  context: OperationContext,
): Promise<VmRecord> {
  const { registry } = parts;
  const before = registry.get(id);
  const spec = changedSpec(before, request);
  const name = request.name ?? before.name;
  if (name !== before.name) checkNewName(registry, before.name, name);
  checkSpec(spec, parts.host);
  await runSteps(changeSteps(parts, before, { ...before, name, spec }), context, parts.failpoint);
  return registry.get(id);
}

function changeSteps(parts: ChangeParts, before: VmRecord, after: VmRecord): Step[] {
  const { registry, capabilities } = parts;
  const { id, name, spec } = after;
  const steps: Step[] = [
    {
      name: 'store',
      run: async () => void registry.change(id, { name, spec }),
      undo: async () => void registry.change(id, { name: before.name, spec: before.spec }),
    },
    {
      name: 'apply-change',
      run: () => capabilities.applyChange(before, after),
      undo: () => capabilities.applyChange(after, before),
    },
  ];
  if (spec.diskBytes > before.spec.diskBytes) {
    const disk = before.state === 'running' ? parts.running : parts.stopped;
    // Never undone: a disk does not shrink, and one that is larger than its record says does no harm.
    steps.unshift({ name: 'grow-disk', run: (context) => disk.growDisk(before, spec.diskBytes, context) });
  }
  if (name !== before.name && before.state === 'running') {
    steps.push({ name: 'rename-guest', run: (context) => renameGuest(parts, after, context) });
  }
  return steps;
}

function changedSpec({ name, spec }: VmRecord, request: SetVmRequest): VmSpec {
  const { autoStopAfterMs: autoStopBefore, ...kept } = spec;
  const autoStop = request.autoStopAfterMs === undefined ? autoStopBefore : request.autoStopAfterMs;
  const next = {
    ...kept,
    vcpus: request.vcpus ?? kept.vcpus,
    memoryMiB: request.memoryMiB ?? kept.memoryMiB,
    diskBytes: request.diskBytes ?? kept.diskBytes,
    network: request.network ?? kept.network,
    autoRemove: request.autoRemove ?? kept.autoRemove,
    ...(typeof autoStop === 'number' && { autoStopAfterMs: autoStop }),
  };
  if (next.diskBytes >= spec.diskBytes) return next;
  throw new UserError(
    'DISK_TOO_SMALL',
    `Cannot shrink the disk of "${name}" from ${formatSize(spec.diskBytes)} to ${formatSize(next.diskBytes)}`,
    { hint: 'disks only grow; they are sparse, only what is written takes space' },
  );
}

function checkNewName(registry: VmRegistry, name: string, wanted: string): void {
  checkVmName(wanted);
  if (registry.isNameTaken(wanted)) throw nameTaken(name, wanted);
}

/** Waits for its turn with the guest no longer than the guest answers; what it does not do now it does at its next start. */
async function renameGuest({ running }: ChangeParts, { id, name }: VmRecord, context: OperationContext) {
  try {
    await running.rename(id, name, context);
  } catch (error) {
    context.signal.throwIfAborted();
    context.log.warn(
      { vm: id, error: messageOf(error) },
      'the guest keeps its old hostname until its next start',
    );
  }
}
