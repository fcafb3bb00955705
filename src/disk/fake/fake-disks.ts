import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { Abortable } from '#base/abort.ts';
import { systemErrorCode } from '#base/errors.ts';
import { UserError } from '#contract/errors.ts';
import type { DiskDriver, DiskUsage, RootDisk, RootDiskSpec } from '../disk.ts';
import { requireFileSizePossible } from '../file-size-limit.ts';

const contentSchema = z.object({ sizeBytes: z.number().int().positive() });
const FILE_NAME = 'root.fake';

/** Disks that are small files with nothing but their size in them: they cost no program and no space. */
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
    return write(join(spec.folder, FILE_NAME), spec.sizeBytes);
  }

  async findRootDisk(folder: string): Promise<RootDisk | undefined> {
    const path = join(folder, FILE_NAME);
    try {
      const { sizeBytes } = contentSchema.parse(JSON.parse(await readFile(path, 'utf8')));
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
    return write(disk.path, sizeBytes);
  }

  async usage(disk: RootDisk): Promise<DiskUsage> {
    const { blocks } = await stat(disk.path);
    return { virtualBytes: disk.sizeBytes, allocatedBytes: blocks * 512 };
  }

  async removeRootDisk(folder: string): Promise<void> {
    await rm(join(folder, FILE_NAME), { force: true });
  }
}

async function write(path: string, sizeBytes: number): Promise<RootDisk> {
  await writeFile(`${path}.new`, JSON.stringify({ sizeBytes }), { mode: 0o600 });
  await rename(`${path}.new`, path);
  return { path, format: 'qcow2', sizeBytes };
}
