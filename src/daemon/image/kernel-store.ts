import { readdir } from 'node:fs/promises';
import type { Clock } from '#base/clock.ts';
import { UserError } from '#contract/errors.ts';
import type { Kernel } from '#contract/owner/kernel.ts';
import { allocatedBytes } from '#ext4/sparse-file.ts';
import { pathExists } from '#host/files.ts';
import type { KernelRepository } from '#store/kernel-repository.ts';
import type { Architecture } from './architecture.ts';
import { ArtifactFolder, type ArtifactLeftover } from './artifact-folder.ts';
import type { KernelBuilder } from './builders.ts';
import type { InitramfsFiles } from './initramfs-files.ts';
import { KERNEL_FILE, MODULES_FILE, UNCOMPRESSED_KERNEL_FILE } from './kernel-files.ts';
import { SharedWork, type BuildOptions, type WorkContext } from './shared-work.ts';

export interface ReadyKernel {
  record: Kernel;
  kernelPath: string;
  /** The same kernel without its compression, where there is one. */
  uncompressedKernelPath: string | undefined;
  /** Raw ext4 with what belongs at `/lib/modules/<release>`; read-only. */
  modulesDiskPath: string;
  initramfsPath: string;
}

export interface KernelStoreOptions {
  folder: string;
  repository: KernelRepository;
  builder: KernelBuilder;
  initramfs: InitramfsFiles;
  architecture: Architecture;
  clock: Clock;
}

const KERNEL_FILES: readonly string[] = [KERNEL_FILE, UNCOMPRESSED_KERNEL_FILE, MODULES_FILE];

/** The kernels of this host: their rows and their files. */
export class KernelStore {
  readonly #options: KernelStoreOptions;
  readonly #folder: ArtifactFolder;
  readonly #builds = new SharedWork<Kernel>();
  readonly #initramfsBuilds = new SharedWork<string>();

  constructor(options: KernelStoreOptions) {
    this.#options = options;
    this.#folder = new ArtifactFolder({
      path: options.folder,
      of: 'kernel',
      files: [KERNEL_FILE, MODULES_FILE],
    });
  }

  list(): Kernel[] {
    return this.#options.repository.list();
  }

  /** The default kernel, fetched when there is none. */
  async ensure(options: BuildOptions): Promise<ReadyKernel> {
    const record =
      this.#findDefault() ?? (await this.#builds.join('default', options, (context) => this.#build(context)));
    return this.#ready(record, options);
  }

  async get(id: string): Promise<ReadyKernel> {
    const record = this.#options.repository.findById(id);
    if (record) return this.#ready(record, {});
    throw new UserError('KERNEL_NOT_FOUND', `Cannot use the kernel "${id}": it is no longer there`, {
      hint: 'create a new VM, which takes the kernel of today',
    });
  }

  findLeftovers(): Promise<ArtifactLeftover[]> {
    return this.#folder.findLeftovers(new Set(this.list().map(({ id }) => id)));
  }

  async removeLeftover(leftover: ArtifactLeftover): Promise<void> {
    if (leftover.kind === 'missing') this.#options.repository.delete(leftover.id);
    await this.#folder.remove(leftover);
  }

  #findDefault(): Kernel | undefined {
    const { name } = this.#options.architecture;
    return this.list().find((kernel) => kernel.architecture === name);
  }

  async #build(context: WorkContext): Promise<Kernel> {
    const { builder, repository, architecture, clock } = this.#options;
    const found = this.#findDefault(); // another build may have ended between the question and now
    if (found) return found;
    context.report.stage('fetch-kernel');
    return this.#folder.build(async (artifact) => {
      const { release, source } = await builder.build(artifact.folder, context);
      const names = (await readdir(artifact.folder)).filter((name) => KERNEL_FILES.includes(name));
      const sizes = names.map((name) => allocatedBytes(`${artifact.folder}/${name}`));
      const record: Kernel = {
        id: artifact.id,
        name: `debian-${release}`,
        release,
        architecture: architecture.name,
        source,
        allocatedBytes: (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0),
        createdAt: new Date(clock.now()).toISOString(),
      };
      context.signal.throwIfAborted();
      await this.#folder.publish(artifact);
      repository.insert(record);
      return record;
    });
  }

  async #ready(record: Kernel, options: BuildOptions): Promise<ReadyKernel> {
    const folder = `${this.#folder.path}/${record.id}`;
    const initramfsPath = await this.#initramfsBuilds.join(record.id, options, () =>
      this.#options.initramfs.ensure(folder),
    );
    const uncompressed = `${folder}/${UNCOMPRESSED_KERNEL_FILE}`;
    return {
      record,
      kernelPath: `${folder}/${KERNEL_FILE}`,
      uncompressedKernelPath: (await pathExists(uncompressed)) ? uncompressed : undefined,
      modulesDiskPath: `${folder}/${MODULES_FILE}`,
      initramfsPath,
    };
  }
}
