import { mkdir } from 'node:fs/promises';
import type { DiskDriver } from '#disk/disk.ts';
import type { VmRecord } from '#store/vm-repository.ts';
import type { MachineRunner, StartParts } from './machine-runner.ts';
import type { Step } from './run-steps.ts';
import type { VmRegistry } from './vm-registry.ts';

export interface CreateParts {
  registry: VmRegistry;
  runner: MachineRunner;
  disk: DiskDriver;
  /** Told of the disk, so that a start that follows need not look for it. */
  start: StartParts;
}

/** Steps that make a VM which does not run yet. The row comes first, so that a crash after it leaves nothing unknown. */
export function createSteps(parts: CreateParts, record: VmRecord, baseDiskPath: string): Step[] {
  const { registry, runner, disk, start } = parts;
  return [
    {
      name: 'reserve-name',
      run: async () => registry.add(record),
      undo: async () => {
        if (registry.find(record.id)) registry.remove(record.id);
      },
    },
    {
      name: 'create-disk',
      run: async ({ signal }) => {
        const folder = runner.folderOf(record.id);
        await mkdir(folder, { recursive: true, mode: 0o700 });
        const spec = { folder, basePath: baseDiskPath, sizeBytes: record.spec.diskBytes };
        start.disk = await disk.createRootDisk(spec, { signal });
      },
      undo: () => runner.removeFiles(record.id),
    },
  ];
}
