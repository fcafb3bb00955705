import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { newVmId } from '#base/ids.ts';
import { MiB } from '#base/sizes.ts';
import type { Layout } from '#contract/layout.ts';
import { Qcow2Disks } from '#disk/qcow2/qcow2-disks.ts';
import { openDatabase, transaction } from '#store/database.ts';
import { ImageRepository } from '#store/image-repository.ts';
import { KernelRepository } from '#store/kernel-repository.ts';
import { VmRepository } from '#store/vm-repository.ts';
import { vmRecord } from './vm-record.ts';

/** Puts stopped VMs into a state folder that has an image and a kernel, and whose daemon does not run. */
export async function seedVms(layout: Layout, count: number): Promise<void> {
  const database = openDatabase(layout.databasePath);
  try {
    const [image] = new ImageRepository(database).list();
    const [kernel] = new KernelRepository(database).list();
    if (!image || !kernel) throw new Error('there is no image and kernel to seed VMs with');
    const records = Array.from({ length: count }, (_, index) =>
      vmRecord({
        id: newVmId(),
        name: `seed-${index}`,
        spec: { ...vmRecord().spec, diskBytes: Math.max(image.virtualBytes, 16 * MiB) },
        imageId: image.id,
        kernelId: kernel.id,
        createdAtMs: Date.now() - count + index,
      }),
    );
    const [first] = records;
    if (!first) return;
    const basePath = join(layout.imagesDir, image.id, 'rootfs.ext4');
    const folder = join(layout.vmsDir, first.id);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const { path } = await new Qcow2Disks().createRootDisk({
      folder,
      basePath,
      sizeBytes: first.spec.diskBytes,
    });
    for (const { id } of records.slice(1)) {
      await mkdir(join(layout.vmsDir, id), { mode: 0o700 });
      await copyFile(path, join(layout.vmsDir, id, 'root.qcow2'));
    }
    const vms = new VmRepository(database);
    transaction(database, () => records.forEach((record) => vms.insert(record)));
  } finally {
    database.close();
  }
}
