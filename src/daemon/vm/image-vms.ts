import { UserError } from '#contract/errors.ts';
import type { DiskDriver } from '#disk/disk.ts';
import type { ImageVms } from '../image/image-actions.ts';
import type { ImageUser } from '../image/image-store.ts';
import type { OperationContext } from '../operation/operations.ts';
import type { MachineRunner } from './machine-runner.ts';
import type { KeyedLocks } from './vm-locks.ts';
import type { VmRegistry } from './vm-registry.ts';

export interface VmsForImagesOptions {
  registry: VmRegistry;
  locks: KeyedLocks;
  disk: DiskDriver;
  runner: Pick<MachineRunner, 'folderOf'>;
}

/** What images see of VMs. */
export class VmsForImages implements ImageVms {
  readonly #options: VmsForImagesOptions;

  constructor(options: VmsForImagesOptions) {
    this.#options = options;
  }

  usersOf(imageId: string): ImageUser[] {
    return this.#options.registry.usersOf(imageId);
  }

  async exportDisk(
    reference: string,
    target: string,
    { signal, subject }: OperationContext,
  ): Promise<{ name: string; imageId: string }> {
    const { registry, locks, disk, runner } = this.#options;
    const { id, name } = registry.resolve(reference);
    subject({ id, name });
    return locks.run(
      id,
      async () => {
        const record = registry.get(id);
        if (record.state !== 'stopped') throw notStopped(record);
        const root = await disk.findRootDisk(runner.folderOf(id));
        if (!root) throw new UserError('DISK_DAMAGED', `Cannot read the disk of "${name}": there is none`);
        await disk.exportRootDisk(root, target, { signal });
        return { name: record.name, imageId: record.imageId };
      },
      { signal },
    );
  }
}

function notStopped({ name, state }: { name: string; state: string }): UserError {
  return new UserError('VM_RUNNING', `Cannot make an image of "${name}": it is ${state}`, {
    hint: `power it off first: banger vm stop ${name}`,
  });
}
