import { copyFile, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { Abortable } from '#base/abort.ts';
import { systemErrorCode } from '#base/errors.ts';
import { UserError } from '#contract/errors.ts';
import type { DiskDriver, DiskUsage, RootDisk, RootDiskSpec } from '../disk.ts';
import { requireFileSizePossible } from '../file-size-limit.ts';

const contentSchema = z.object({ sizeBytes: z.number().int().positive(), basePath: z.string() });
const FILE_NAME = 'root.fake';

/** Disks that are small files with nothing in them but their size and base: they cost no program and no space. */
export class FakeDisks implements DiskDriver {
  readonly name = 'fake';
  /** Set: disks to come fail as on a full file system. */
  isFull = false;

  async createRootDisk(spec: RootDiskSpec, { signal }: Abortable = {}): Promise<RootDisk> {
    signal?.throwIfAborted();
    const { size } = await stat(spec.basePath);
    if (spec.sizeBytes < size)
      throw new UserError(
        'DISK_TOO_SMALL',
        `Cannot make a disk of ${spec.sizeBytes} bytes: its image is larger`,
      );
    await requireFileSizePossible(spec.folder, spec.sizeBytes);
    if (this.isFull) throw new UserError('HOST_DISK_FULL', 'Cannot write the disk: the file system is full');
    return write(join(spec.folder, FILE_NAME), spec);
  }

  async findRootDisk(folder: string): Promise<RootDisk | undefined> {
    const path = join(folder, FILE_NAME);
    try {
      const { sizeBytes } = await read(path);
      return { path, format: 'qcow2', sizeBytes };
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return undefined;
      throw new UserError('DISK_DAMAGED', `Cannot use disk "${path}": it is not a fake disk`, {
        cause: error,
      });
    }
  }

  async growRootDisk(disk: RootDisk, sizeBytes: number): Promise<RootDisk> {
    if (sizeBytes < disk.sizeBytes) throw new UserError('DISK_TOO_SMALL', 'Cannot shrink a disk');
    await requireFileSizePossible(join(disk.path, '..'), sizeBytes);
    return write(disk.path, { ...(await read(disk.path)), sizeBytes });
  }

  async exportRootDisk(disk: RootDisk, target: string, { signal }: Abortable = {}): Promise<void> {
    signal?.throwIfAborted();
    await requireFileSizePossible(join(target, '..'), disk.sizeBytes);
    await copyFile((await read(disk.path)).basePath, target);
    await truncate(target, disk.sizeBytes);
  }

  async usage(disk: RootDisk): Promise<DiskUsage> {
    const { blocks } = await stat(disk.path);
    return { virtualBytes: disk.sizeBytes, allocatedBytes: blocks * 512 };
  }

  async removeRootDisk(folder: string): Promise<void> {
    await rm(join(folder, FILE_NAME), { force: true });
  }
}

async function read(path: string): Promise<z.infer<typeof contentSchema>> {
  return contentSchema.parse(JSON.parse(await readFile(path, 'utf8')));
}

async function write(path: string, content: z.infer<typeof contentSchema>): Promise<RootDisk> {
  const { sizeBytes, basePath } = content;
  await writeFile(`${path}.new`, JSON.stringify({ sizeBytes, basePath }), { mode: 0o600 });
  await rename(`${path}.new`, path);
  return { path, format: 'qcow2', sizeBytes };
}
