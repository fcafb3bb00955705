import { systemErrorCode } from '#base/errors.ts';
import type { DiskDriver, DiskUsage, RootDisk } from '#disk/disk.ts';

export interface DiskGaugeOptions {
  disk: Pick<DiskDriver, 'findRootDisk' | 'usage'>;
  folder: string;
  /** Of the disk by the VM's record: it may grow. */
  sizeBytes: () => number;
}

/** Measures one root disk. Looks for it once: that costs a process, the rest a look at a file. */
export class DiskGauge {
  readonly #options: DiskGaugeOptions;
  #found: { disk: RootDisk; sizeBytes: number } | undefined;

  constructor(options: DiskGaugeOptions) {
    this.#options = options;
  }

  /** Undefined when the disk is gone. @throws UserError `DISK_DAMAGED` */
  async usage(): Promise<DiskUsage | undefined> {
    const { disk, folder, sizeBytes } = this.#options;
    try {
      if (this.#found?.sizeBytes !== sizeBytes()) {
        const found = await disk.findRootDisk(folder);
        if (!found) return undefined;
        this.#found = { disk: found, sizeBytes: sizeBytes() };
      }
      return await disk.usage(this.#found.disk);
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return undefined;
      throw error;
    }
  }
}
