import type { Abortable } from '#base/abort.ts';

export interface RootDiskSpec {
  /** Absolute path of the disk to make, without suffix rules: the driver picks the file name inside `folder`. */
  folder: string;
  /** Raw base image; never written. */
  basePath: string;
  /** At least the base's size. */
  sizeBytes: number;
}

export interface RootDisk {
  path: string;
  format: 'raw' | 'qcow2';
  sizeBytes: number;
}

export interface DiskUsage {
  /** What the guest sees. */
  virtualBytes: number;
  /** What is allocated on the host for this VM alone. */
  allocatedBytes: number;
}

/** Port: copy-on-write root disks. */
export interface DiskDriver {
  readonly name: string;

  /**
   * Makes the disk under a temporary name, then renames. When it rejects nothing is left.
   *
   * @throws UserError `DISK_TOOL_MISSING`, `DISK_TOO_SMALL` (smaller than the base), `DISK_TOO_LARGE` (more than the file system can hold in one file), `HOST_DISK_FULL`
   */
  createRootDisk(spec: RootDiskSpec, options?: Abortable): Promise<RootDisk>;

  /**
   * The disk in this folder, or undefined when there is none.
   *
   * @throws UserError `DISK_DAMAGED` when a file is there but is not what this driver makes
   */
  findRootDisk(folder: string): Promise<RootDisk | undefined>;

  /** Grows; never shrinks. @throws UserError `DISK_TOO_SMALL` */
  growRootDisk(disk: RootDisk, sizeBytes: number, options?: Abortable): Promise<RootDisk>;

  /**
   * Writes the whole disk, base included, to a new raw file with holes where it is empty. Nothing may be using the disk. When it
   * rejects there is no file.
   *
   * @throws UserError `DISK_TOOL_MISSING`, `DISK_TOO_LARGE`, `HOST_DISK_FULL`
   */
  exportRootDisk(disk: RootDisk, target: string, options?: Abortable): Promise<void>;

  usage(disk: RootDisk): Promise<DiskUsage>;

  /** Idempotent; removes only what this driver made, temporary files included. */
  removeRootDisk(folder: string): Promise<void>;
}
