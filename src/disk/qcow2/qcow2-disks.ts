import { open, rename, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Abortable } from '#base/abort.ts';
import { ifThere } from '#base/if-there.ts';
import { formatSize, GiB, MiB } from '#base/sizes.ts';
import { UserError } from '#contract/errors.ts';
import { isTemporaryName, listFolderIfThere, pathExists, temporaryPathFor } from '#host/files.ts';
import type { DiskDriver, DiskUsage, RootDisk, RootDiskSpec } from '../disk.ts';
import { requireFileSizePossible, SIZE_PROBE_NAME } from '../file-size-limit.ts';
import { HEADER_BYTES, parseOverlayHeader } from './overlay-header.ts';
import { OverlayTemplates, type OverlayKey } from './overlay-templates.ts';
import { COPY_TIMEOUT_MS, runQemuImg } from './qemu-img.ts';

export interface Qcow2Options {
  /** Default `qemu-img`, looked up in PATH. */
  qemuImg?: string | undefined;
}

const FILE_NAME = 'root.qcow2';
const SECTOR_BYTES = 512;
const SIZE_STEP_BYTES = 4096;

/**
 * Driver: a qcow2 overlay for each VM on a raw base that all share.
 *
 * Nothing is synced when a disk is made: until the guest's first flush there is nothing in it to lose, and that flush
 * (fdatasync of this file) makes header and name durable with it.
 */
export class Qcow2Disks implements DiskDriver {
  readonly name = 'qcow2';
  readonly #qemuImg: string;
  readonly #templates = new OverlayTemplates();

  constructor(options: Qcow2Options = {}) {
    this.#qemuImg = options.qemuImg ?? 'qemu-img';
  }

  async createRootDisk(spec: RootDiskSpec, options: Abortable = {}): Promise<RootDisk> {
    const sizeBytes = roundUp(spec.sizeBytes);
    await requireLargerThanBase(spec);
    await requireFileSizePossible(spec.folder, sizeBytes);
    const path = join(spec.folder, FILE_NAME);
    const temporary = temporaryPathFor(path);
    const overlay = { basePath: spec.basePath, sizeBytes };
    try {
      if (!(await this.#templates.write(overlay, temporary))) {
        await this.#makeOverlay(overlay, temporary, options);
        await this.#templates.keep(overlay, temporary);
      }
      options.signal?.throwIfAborted();
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    return { path, format: 'qcow2', sizeBytes };
  }

  /** Not by qemu-img, which takes 13 ms to start. */
  async findRootDisk(folder: string): Promise<RootDisk | undefined> {
    const path = join(folder, FILE_NAME);
    const file = await ifThere(open(path, 'r'));
    if (!file) return undefined;
    await using _ = file;
    const { bytesRead, buffer } = await file.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0);
    const header = parseOverlayHeader(buffer.subarray(0, bytesRead), (await file.stat()).size);
    if (!header) throw damaged(path, 'it is not an undamaged qcow2 overlay on a raw base');
    const basePath = resolve(folder, header.basePath);
    if (!(await pathExists(basePath))) throw damaged(path, `its base "${basePath}" is gone`);
    return { path, format: 'qcow2', sizeBytes: header.sizeBytes };
  }

  async growRootDisk(disk: RootDisk, sizeBytes: number, options: Abortable = {}): Promise<RootDisk> {
    const grown = roundUp(sizeBytes);
    if (grown < disk.sizeBytes) {
      throw new UserError(
        'DISK_TOO_SMALL',
        `Cannot shrink a disk of ${formatSize(disk.sizeBytes)} to ${formatSize(sizeBytes)}`,
      );
    }
    if (grown === disk.sizeBytes) return disk;
    await requireFileSizePossible(join(disk.path, '..'), grown);
    await runQemuImg(this.#qemuImg, ['resize', '-q', '-f', 'qcow2', disk.path, String(grown)], options);
    return { ...disk, sizeBytes: grown };
  }

  async exportRootDisk(disk: RootDisk, target: string, { signal }: Abortable = {}): Promise<void> {
    await requireFileSizePossible(join(target, '..'), disk.sizeBytes);
    try {
      const args = ['convert', '-q', '-f', 'qcow2', '-O', 'raw', '-S', '4k', disk.path, target];
      await runQemuImg(this.#qemuImg, args, { signal, timeoutMs: COPY_TIMEOUT_MS });
    } catch (error) {
      await rm(target, { force: true });
      throw error;
    }
  }

  async usage(disk: RootDisk): Promise<DiskUsage> {
    const { blocks } = await stat(disk.path);
    return { virtualBytes: disk.sizeBytes, allocatedBytes: blocks * SECTOR_BYTES };
  }

  async removeRootDisk(folder: string): Promise<void> {
    const names = await listFolderIfThere(folder);
    const own = names.filter((name) => name === FILE_NAME || isOwnTemporary(name));
    await Promise.all(own.map((name) => rm(join(folder, name), { force: true })));
  }

  async #makeOverlay({ basePath, sizeBytes }: OverlayKey, path: string, options: Abortable): Promise<void> {
    const format = ['-f', 'qcow2', '-F', 'raw', '-b', basePath];
    await runQemuImg(this.#qemuImg, ['create', '-q', ...format, path, String(sizeBytes)], options);
  }
}

async function requireLargerThanBase({ basePath, sizeBytes }: RootDiskSpec): Promise<void> {
  const { size } = await stat(basePath);
  if (sizeBytes >= size) return;
  throw new UserError(
    'DISK_TOO_SMALL',
    `Cannot make a disk of ${formatSize(sizeBytes)}: its image needs ${formatSize(size)}`,
    { hint: `choose at least --disk-size ${roundUpToUnit(size)}` },
  );
}

function damaged(path: string, why: string, cause?: unknown): UserError {
  return new UserError('DISK_DAMAGED', `Cannot use disk "${path}": ${why}`, {
    hint: 'put the file back from a backup, or delete the VM; banger fsck says which one',
    cause,
  });
}

function isOwnTemporary(name: string): boolean {
  const unfinished = name.startsWith(`.${FILE_NAME}.`) || name.startsWith(`.${SIZE_PROBE_NAME}.`);
  return unfinished && isTemporaryName(name);
}

/** As a flag takes it: `3M`, `8G`. */
function roundUpToUnit(bytes: number): string {
  return bytes % GiB === 0 ? `${bytes / GiB}G` : `${Math.ceil(bytes / MiB)}M`;
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / SIZE_STEP_BYTES) * SIZE_STEP_BYTES;
}
