import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import { nearest } from '#base/nearest.ts';
import { UserError } from '#contract/errors.ts';
import type { Layout } from '#contract/layout.ts';
import type { Image } from '#contract/owner/image.ts';
import type { Kernel } from '#contract/owner/kernel.ts';
import { allocatedBytes } from '#ext4/sparse-file.ts';
import type { Database } from '#store/database.ts';
import { ImageRepository } from '#store/image-repository.ts';
import { KernelRepository } from '#store/kernel-repository.ts';
import { hostArchitecture, type Architecture } from './architecture.ts';
import { ArtifactFolder, type ArtifactLeftover } from './artifact-folder.ts';
import type { ImageBuilder, KernelBuilder } from './builders.ts';
import { DebianImageBuilder } from './debian/image-builder.ts';
import { DebianKernelBuilder } from './debian/kernel-builder.ts';
import { InitramfsFiles } from './initramfs-files.ts';
import { KernelStore, type ReadyKernel } from './kernel-store.ts';
import { recipes as allRecipes, type Recipe } from './recipes.ts';
import { SharedWork, type BuildOptions, type WorkContext } from './shared-work.ts';

export interface ReadyImage {
  record: Image;
  /** Raw ext4, never written again. */
  rootDiskPath: string;
}

export interface AvailableImage {
  name: string;
  description: string;
  pulled: boolean;
}

export interface ImageServiceOptions {
  layout: Layout;
  database: Database;
  log: Logger;
  clock: Clock;
  /** The guest agent's binary. */
  agentPath: string;
  recipes?: readonly Recipe[];
  imageBuilder?: ImageBuilder;
  kernelBuilder?: KernelBuilder;
}

const ROOT_DISK_FILE = 'rootfs.ext4';

/** Images and kernels: what is there, and making what is missing. */
export class ImageService {
  readonly #recipes: readonly Recipe[];
  readonly #images: ImageRepository;
  readonly #imageBuilder: ImageBuilder;
  readonly #folder: ArtifactFolder;
  readonly #kernels: KernelStore;
  readonly #architecture: Architecture = hostArchitecture();
  readonly #builds = new SharedWork<Image>();
  readonly #clock: Clock;
  readonly #log: Logger;

  constructor(options: ImageServiceOptions) {
    const { layout, database, log, clock } = options;
    const architecture = this.#architecture;
    this.#recipes = options.recipes ?? allRecipes;
    this.#images = new ImageRepository(database);
    this.#imageBuilder = options.imageBuilder ?? new DebianImageBuilder({ cacheDir: layout.cacheDir, log });
    this.#folder = new ArtifactFolder({ path: layout.imagesDir, of: 'image', files: [ROOT_DISK_FILE] });
    this.#kernels = new KernelStore({
      folder: layout.kernelsDir,
      repository: new KernelRepository(database),
      builder: options.kernelBuilder ?? new DebianKernelBuilder({ cacheDir: layout.cacheDir, architecture }),
      initramfs: new InitramfsFiles(options.agentPath),
      architecture,
      clock,
    });
    this.#clock = clock;
    this.#log = log;
  }

  findImage(name: string): Image | undefined {
    return this.#images.findByName(name);
  }

  /** Is it here, or can it be made? */
  isAvailable(name: string): boolean {
    return this.findImage(name) !== undefined || this.#findRecipe(name) !== undefined;
  }

  /** @throws UserError `IMAGE_NOT_FOUND` with the known names */
  assertAvailable(name: string): void {
    if (this.isAvailable(name)) return;
    const known = [
      ...new Set([...this.listImages(), ...this.#recipes].map((image) => image.name)),
    ].toSorted();
    const meant = nearest(name, known);
    throw new UserError(
      'IMAGE_NOT_FOUND',
      `Cannot find the image "${name}": no image and no recipe has this name`,
      {
        hint: meant
          ? `did you mean "${meant}"? Known: ${known.join(', ')}`
          : `known images: ${known.join(', ')}`,
        details: { known },
      },
    );
  }

  /**
   * The image, built when it is missing. Callers at the same time share one build.
   *
   * @throws UserError `IMAGE_NOT_FOUND`, `IMAGE_BUILD_FAILED`, `HOST_TOOL_MISSING`, `HOST_DISK_FULL`; the signal's reason
   */
  async ensureImage(name: string, options: BuildOptions = {}): Promise<ReadyImage> {
    options.signal?.throwIfAborted();
    const found = this.findImage(name);
    if (found) return this.#ready(found);
    this.assertAvailable(name);
    return this.#ready(await this.#builds.join(name, options, (context) => this.#build(name, context)));
  }

  /**
   * The default kernel, fetched when there is none, with an initramfs that carries today's agent.
   *
   * @throws UserError `KERNEL_FETCH_FAILED`, `INITRAMFS_BUILD_FAILED`, `HOST_TOOL_MISSING`, `HOST_DISK_FULL`; the signal's reason
   */
  ensureKernel(options: BuildOptions = {}): Promise<ReadyKernel> {
    return this.#kernels.ensure(options);
  }

  /** @throws UserError `IMAGE_NOT_FOUND` */
  async getImage(id: string): Promise<ReadyImage> {
    const record = this.#images.findById(id);
    if (record) return this.#ready(record);
    throw new UserError('IMAGE_NOT_FOUND', `Cannot use the image "${id}": it is no longer there`, {
      hint: 'the disk of this VM needs it; delete the VM and create a new one',
    });
  }

  /** @throws UserError `KERNEL_NOT_FOUND`, `INITRAMFS_BUILD_FAILED` */
  getKernel(id: string): Promise<ReadyKernel> {
    return this.#kernels.get(id);
  }

  listImages(): Image[] {
    return this.#images.list();
  }

  listAvailable(): AvailableImage[] {
    return this.#recipes.map(({ name, description }) => ({
      name,
      description,
      pulled: this.findImage(name) !== undefined,
    }));
  }

  listKernels(): Kernel[] {
    return this.#kernels.list();
  }

  /** At the daemon's start, before anything is built: what a killed build left, files without a row, rows without files. */
  async removeLeftovers(): Promise<void> {
    for (const leftover of await this.findLeftovers()) await this.removeLeftover(leftover);
  }

  /** The same, only looked for; what is being built is none. */
  async findLeftovers(): Promise<ArtifactLeftover[]> {
    const known = new Set(this.listImages().map(({ id }) => id));
    return [...(await this.#folder.findLeftovers(known)), ...(await this.#kernels.findLeftovers())];
  }

  /** The row first: a folder without one is a leftover that the next look finds. */
  async removeLeftover(leftover: ArtifactLeftover): Promise<void> {
    if (leftover.of === 'kernel') return this.#kernels.removeLeftover(leftover);
    if (leftover.kind === 'missing') this.#images.delete(leftover.id);
    await this.#folder.remove(leftover);
  }

  #findRecipe(name: string): Recipe | undefined {
    return this.#recipes.find((recipe) => recipe.name === name);
  }

  async #build(name: string, context: WorkContext): Promise<Image> {
    const recipe = this.#findRecipe(name);
    const found = this.findImage(name); // another build may have ended between the question and now
    if (found || !recipe) return found ?? Promise.reject(new Error(`no recipe "${name}"`));
    context.report.stage('build-image');
    const startedAt = this.#clock.now();
    return this.#folder.build(async (artifact) => {
      await this.#imageBuilder.build(recipe, artifact.folder, context);
      const record: Image = {
        id: artifact.id,
        name,
        source: `recipe:${name}`,
        architecture: this.#architecture.name,
        virtualBytes: recipe.sizeBytes,
        allocatedBytes: await allocatedBytes(`${artifact.folder}/${ROOT_DISK_FILE}`),
        createdAt: new Date(this.#clock.now()).toISOString(),
      };
      context.signal.throwIfAborted();
      await this.#folder.publish(artifact);
      this.#images.insert(record);
      this.#log.info({ image: name, id: record.id, ms: this.#clock.now() - startedAt }, 'built an image');
      return record;
    });
  }

  #ready(record: Image): ReadyImage {
    return { record, rootDiskPath: `${this.#folder.path}/${record.id}/${ROOT_DISK_FILE}` };
  }
}
