import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import { nearest } from '#base/nearest.ts';
import { UserError } from '#contract/errors.ts';
import type { Layout } from '#contract/layout.ts';
import type { AvailableImage, Image, PrunedCache } from '#contract/owner/image.ts';
import type { Kernel } from '#contract/owner/kernel.ts';
import type { Database } from '#store/database.ts';
import { ImageRepository } from '#store/image-repository.ts';
import { KernelRepository } from '#store/kernel-repository.ts';
import { hostArchitecture } from './architecture.ts';
import type { ArtifactLeftover } from './artifact-folder.ts';
import type { ImageBuilder, ImagePuller, KernelBuilder, PullRequest } from './builders.ts';
import { DebianImageBuilder } from './debian/image-builder.ts';
import { DebianKernelBuilder } from './debian/kernel-builder.ts';
import { ImageStore, type ReadyImage } from './image-store.ts';
import { InitramfsFiles } from './initramfs-files.ts';
import { kernelRecipes, type KernelRecipe } from './kernel-recipes.ts';
import { KernelStore, type ReadyKernel } from './kernel-store.ts';
import { recipes as allRecipes, type Recipe } from './recipes.ts';
import { SharedWork, type BuildOptions, type WorkContext } from './shared-work.ts';

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
  kernelRecipes?: readonly KernelRecipe[];
  /** Without one, no image comes from a registry. */
  puller?: ImagePuller | undefined;
}

/** What an image is to be when it is not there yet. */
export interface ImageWish extends PullRequest {
  name: string;
  kernelId?: string | undefined;
}

/** Images and kernels: what is there, and making what is missing. */
export class ImageService {
  /** The images that are there. */
  readonly store: ImageStore;
  readonly kernels: KernelStore;
  readonly #recipes: readonly Recipe[];
  readonly #imageBuilder: ImageBuilder;
  readonly #puller: ImagePuller | undefined;
  readonly #builds = new SharedWork<Image>();
  readonly #clock: Clock;
  readonly #log: Logger;

  constructor(options: ImageServiceOptions) {
    const { layout, database, log, clock } = options;
    const architecture = hostArchitecture();
    this.#recipes = options.recipes ?? allRecipes;
    this.#imageBuilder = options.imageBuilder ?? new DebianImageBuilder({ cacheDir: layout.cacheDir, log });
    this.#puller = options.puller;
    this.store = new ImageStore({
      folder: layout.imagesDir,
      repository: new ImageRepository(database),
      architecture,
      clock,
      isReserved: (name) => this.#findRecipe(name) !== undefined,
    });
    this.kernels = new KernelStore({
      folder: layout.kernelsDir,
      repository: new KernelRepository(database),
      builder: options.kernelBuilder ?? new DebianKernelBuilder({ cacheDir: layout.cacheDir, architecture }),
      recipes: options.kernelRecipes ?? kernelRecipes,
      initramfs: new InitramfsFiles(options.agentPath),
      architecture,
      clock,
    });
    this.#clock = clock;
    this.#log = log;
  }

  /** Is it here, or can it be made? */
  isAvailable(name: string): boolean {
    return (
      this.store.find(name) !== undefined || this.#findRecipe(name) !== undefined || this.#isPullable(name)
    );
  }

  /** @throws UserError `IMAGE_NOT_FOUND` with the known names */
  assertAvailable(name: string): void {
    if (this.isAvailable(name)) return;
    const known = this.#knownNames();
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
   * The image, made when it is missing: what a recipe is called is built, what else reads as a reference is pulled. Callers at the
   * same time share the work.
   *
   * @throws UserError `IMAGE_NOT_FOUND`, `IMAGE_BUILD_FAILED`, `HOST_TOOL_MISSING`, `HOST_DISK_FULL`, what a pull throws; the signal's reason
   */
  async ensureImage(name: string, options: BuildOptions = {}): Promise<ReadyImage> {
    options.signal?.throwIfAborted();
    const found = this.store.find(name);
    if (found) return this.store.ready(found);
    this.assertAvailable(name);
    return this.store.ready(await this.obtain({ name, reference: name }, options));
  }

  /** As {@link assertAvailable}, for what is to be made under a name of its own. */
  assertObtainable(reference: string): void {
    if (!this.#findRecipe(reference) && !this.#isPullable(reference)) this.assertAvailable(reference);
  }

  /** Makes what {@link ensureImage} makes, under a name of its own. An image that has this name already is the answer. */
  async obtain(wish: ImageWish, options: BuildOptions): Promise<Image> {
    const found = this.store.find(wish.name);
    if (found) return found;
    const key = JSON.stringify([wish.name, wish.reference, wish.sizeBytes, wish.kernelId]);
    return this.#builds.join(key, options, (context) => this.#make(wish, context));
  }

  /**
   * The default kernel, fetched when there is none, with an initramfs that carries today's agent.
   *
   * @throws UserError `KERNEL_FETCH_FAILED`, `INITRAMFS_BUILD_FAILED`, `HOST_TOOL_MISSING`, `HOST_DISK_FULL`; the signal's reason
   */
  ensureKernel(options: BuildOptions = {}): Promise<ReadyKernel> {
    return this.kernels.ensure(options);
  }

  /** @throws UserError `IMAGE_NOT_FOUND` */
  async getImage(id: string): Promise<ReadyImage> {
    const record = this.store.find(id);
    if (record) return this.store.ready(record);
    throw new UserError('IMAGE_NOT_FOUND', `Cannot use the image "${id}": it is no longer there`, {
      hint: 'the disk of this VM needs it; delete the VM and create a new one',
    });
  }

  /** @throws UserError `IMAGE_NOT_FOUND` */
  holdImage(id: string): Disposable {
    return this.store.hold(id);
  }

  /** @throws UserError `KERNEL_NOT_FOUND`, `INITRAMFS_BUILD_FAILED` */
  getKernel(id: string): Promise<ReadyKernel> {
    return this.kernels.get(id);
  }

  /** Removes downloads of images that nothing uses at the moment. */
  async pruneCache(options: { dryRun: boolean }): Promise<PrunedCache> {
    return this.#puller?.prune(options) ?? { files: 0, bytes: 0 };
  }

  listImages(): Image[] {
    return this.store.list();
  }

  listAvailable(): AvailableImage[] {
    return this.#recipes.map(({ name, description }) => ({
      name,
      description,
      pulled: this.store.find(name) !== undefined,
    }));
  }

  listKernels(): Kernel[] {
    return this.kernels.list();
  }

  /** At the daemon's start, before anything is built: what a killed build left, files without a row, rows without files. */
  async removeLeftovers(): Promise<void> {
    for (const leftover of await this.findLeftovers()) await this.removeLeftover(leftover);
  }

  /** The same, only looked for; what is being built is none. */
  async findLeftovers(): Promise<ArtifactLeftover[]> {
    return [...(await this.store.findLeftovers()), ...(await this.kernels.findLeftovers())];
  }

  async removeLeftover(leftover: ArtifactLeftover): Promise<void> {
    if (leftover.of === 'kernel') return this.kernels.removeLeftover(leftover);
    return this.store.removeLeftover(leftover);
  }

  #knownNames(): string[] {
    const names = [
      ...this.listImages().flatMap((image) => image.names),
      ...this.#recipes.map((recipe) => recipe.name),
    ];
    return [...new Set(names)].toSorted();
  }

  #findRecipe(name: string): Recipe | undefined {
    return this.#recipes.find((recipe) => recipe.name === name);
  }

  /** A bare word that is nearly a known name is a typing error, not something to look for in a registry. */
  #isPullable(name: string): boolean {
    if (!this.#puller?.isReference(name)) return false;
    return /[/:@]/.test(name) || nearest(name, this.#knownNames()) === undefined;
  }

  async #make(wish: ImageWish, context: WorkContext): Promise<Image> {
    const found = this.store.find(wish.name); // other work may have ended between the question and now
    if (found) return found;
    const startedAt = this.#clock.now();
    const recipe = this.#findRecipe(wish.reference);
    const image = recipe ? await this.#build(recipe, wish, context) : await this.#pull(wish, context);
    this.#log.info({ image: image.name, id: image.id, ms: this.#clock.now() - startedAt }, 'made an image');
    return image;
  }

  #build(recipe: Recipe, wish: ImageWish, context: WorkContext): Promise<Image> {
    context.report.stage('build-image');
    const sized = { ...recipe, sizeBytes: wish.sizeBytes ?? recipe.sizeBytes };
    return this.store.create(
      wish.name,
      async (folder) => {
        await this.#imageBuilder.build(sized, folder, context);
        return { kind: 'recipe', source: `recipe:${recipe.name}`, ...kernelOf(wish) };
      },
      context,
    );
  }

  #pull(wish: ImageWish, context: WorkContext): Promise<Image> {
    const puller = this.#puller;
    if (!puller) throw new Error(`nothing pulls "${wish.reference}"`);
    context.report.stage('pull-image');
    return this.store.create(
      wish.name,
      async (folder) => {
        const { reference, digest, config } = await puller.pull(wish, folder, context);
        return { kind: 'oci', source: `oci:${reference}`, digest, config, ...kernelOf(wish) };
      },
      context,
    );
  }
}

function kernelOf({ kernelId }: ImageWish): { kernelId?: string } {
  return kernelId === undefined ? {} : { kernelId };
}
