import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import { nearest } from '#base/nearest.ts';
import { UserError } from '#contract/errors.ts';
import type { Layout } from '#contract/layout.ts';
import type { AvailableImage, Image, PrunedCache } from '#contract/owner/image.ts';
import type { Kernel } from '#contract/owner/kernel.ts';
import { familiarName } from '#oci/familiar-name.ts';
import type { Database } from '#store/database.ts';
import { ImageRepository } from '#store/image-repository.ts';
import { KernelRepository } from '#store/kernel-repository.ts';
import { hostArchitecture } from './architecture.ts';
import type { ArtifactLeftover } from './artifact-folder.ts';
import type { BundlePuller, ImageBuilder, ImagePuller, KernelBuilder } from './builders.ts';
import { builtInCatalog } from './catalog/built-in-catalog.ts';
import { Catalogs } from './catalog/catalogs.ts';
import { describeEntry } from './catalog/describe-entry.ts';
import { DebianImageBuilder } from './debian/image-builder.ts';
import { DebianKernelBuilder } from './debian/kernel-builder.ts';
import { ImageMaker, type ImageWish } from './image-maker.ts';
import { ImageStore, type ReadyImage } from './image-store.ts';
import { InitramfsFiles } from './kernel/initramfs-files.ts';
import { KernelStore, type ReadyKernel } from './kernel/kernel-store.ts';
import { SharedWork, type BuildOptions, type WorkContext } from './shared-work.ts';
import { WorkSeedStore } from './work-seed/work-seed-store.ts';

export interface ImageServiceOptions {
  layout: Layout;
  database: Database;
  log: Logger;
  clock: Clock;
  /** The guest agent's binary. */
  agentPath: string;
  /** The built-in one alone when left out. */
  catalogs?: Catalogs;
  imageBuilder?: ImageBuilder;
  kernelBuilder?: KernelBuilder;
  /** Without one, no image comes from a registry. */
  puller?: ImagePuller | undefined;
  /** Without one, no image comes of a bundle of a catalog. */
  bundles?: BundlePuller | undefined;
}

/** Images and kernels: what is there, and making what is missing. */
export class ImageService {
  /** The images that are there. */
  readonly store: ImageStore;
  readonly kernels: KernelStore;
  readonly seeds: WorkSeedStore;
  /** What can be made by name. */
  readonly catalogs: Catalogs;
  readonly #puller: ImagePuller | undefined;
  readonly #bundles: BundlePuller | undefined;
  readonly #maker: ImageMaker;
  readonly #builds = new SharedWork<Image>();
  readonly #clock: Clock;
  readonly #log: Logger;

  constructor(options: ImageServiceOptions) {
    const { layout, database, log, clock } = options;
    const architecture = hostArchitecture();
    const catalogs = options.catalogs ?? new Catalogs({ builtIn: builtInCatalog(architecture.name) });
    this.catalogs = catalogs;
    this.#puller = options.puller;
    this.#bundles = options.bundles;
    this.store = new ImageStore({
      folder: layout.imagesDir,
      repository: new ImageRepository(database),
      architecture,
      clock,
      isReserved: (name) => catalogs.findImage(name) !== undefined,
      onRemoved: (id) => this.seeds.removeOf(id),
    });
    this.seeds = new WorkSeedStore({
      folder: `${layout.imagesDir}/work-seeds`,
      clock,
      isImage: (id) => this.store.find(id) !== undefined,
    });
    this.kernels = new KernelStore({
      folder: layout.kernelsDir,
      repository: new KernelRepository(database),
      builder: options.kernelBuilder ?? new DebianKernelBuilder({ cacheDir: layout.cacheDir, architecture }),
      get recipes() {
        return catalogs.kernels();
      },
      initramfs: new InitramfsFiles(options.agentPath),
      architecture,
      clock,
    });
    this.#maker = new ImageMaker({
      store: this.store,
      catalogs,
      imageBuilder: options.imageBuilder ?? new DebianImageBuilder({ cacheDir: layout.cacheDir, log }),
      puller: options.puller,
      bundles: options.bundles,
      findKernelId: (name) => this.findKernelId(name),
    });
    this.#clock = clock;
    this.#log = log;
  }

  /** Is it here, or can it be made? */
  isAvailable(name: string): boolean {
    return (
      this.store.find(name) !== undefined ||
      this.catalogs.findImage(name) !== undefined ||
      this.#isPullable(name)
    );
  }

  /** Looks at the catalogs again for a name that nobody knows. @throws UserError `IMAGE_NOT_FOUND` with the known names, `CATALOG_INVALID` */
  async assertAvailable(name: string): Promise<void> {
    if (this.store.find(name)) return;
    if (!this.catalogs.findImage(name)) await this.catalogs.refresh({ isNeeded: true });
    this.#assertMakeable(name);
  }

  #assertMakeable(name: string): void {
    this.catalogs.assertReadable(name);
    if (this.isAvailable(name)) return;
    const known = this.#knownNames();
    const meant = nearest(name, known);
    throw new UserError(
      'IMAGE_NOT_FOUND',
      `Cannot find the image "${name}": no image and no entry of a catalog has this name`,
      {
        hint: meant
          ? `did you mean "${meant}"? Known: ${known.join(', ')}`
          : `known images: ${known.join(', ')}`,
        details: { known },
      },
    );
  }

  /**
   * The image, made when it is missing: as the entry of a catalog says, else what reads as a reference is pulled. Callers at the
   * same time share the work.
   *
   * @throws UserError `IMAGE_NOT_FOUND`, `IMAGE_BUILD_FAILED`, `HOST_TOOL_MISSING`, `HOST_DISK_FULL`, what a pull throws; the signal's reason
   */
  async ensureImage(name: string, options: BuildOptions = {}): Promise<ReadyImage> {
    options.signal?.throwIfAborted();
    const found = this.store.find(name);
    if (found) return this.store.ready(found);
    await this.assertAvailable(name);
    return this.store.ready(await this.obtain({ name, reference: name }, options));
  }

  /** As {@link assertAvailable}, for what is to be made under a name of its own. */
  assertObtainable(reference: string): void {
    this.#assertMakeable(reference);
  }

  /** Makes what {@link ensureImage} makes, under a name of its own. An image that has this name already is the answer. */
  async obtain(wish: ImageWish, options: BuildOptions): Promise<Image> {
    const found = this.store.find(wish.name);
    if (found) return found;
    const key = workKey('obtain', wish);
    return this.#builds.join(key, options, (context) => this.#make(wish, context));
  }

  /**
   * As {@link obtain}, but an image of a registry or a bundle is looked for anew: the one that has the name is the answer while there
   * is no other one; else the name goes to the new image, and the old one stays for those who use it. The new one has the kernel of
   * the old one, and at least its size, unless others are given.
   *
   * @throws UserError what a pull throws; `IMAGE_NAME_TAKEN` when what has the name came another way
   */
  async pull(wish: ImageWish, options: BuildOptions): Promise<Image> {
    const found = this.store.find(wish.name);
    const kind = this.#maker.kindOf(wish.reference);
    if (!found || kind === 'recipe') return this.obtain(wish, options);
    if (found.kind !== kind) this.store.checkNewName(wish.name);
    const key = workKey('pull', wish);
    return this.#builds.join(key, options, (context) => this.#update(found, wish, context));
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

  /** @throws UserError `KERNEL_NOT_FOUND`, `INVALID_ARGUMENT` when the reference could mean several */
  findKernel(reference: string): Kernel {
    return this.kernels.find(reference);
  }

  /** The kernel here that has this name, or that the entry of a catalog with this name brought. */
  findKernelId(name: string): string | undefined {
    return this.kernels.list().find((kernel) => kernel.name === name || kernel.recipe === name)?.id;
  }

  /** @throws UserError `KERNEL_NOT_FOUND`, `INITRAMFS_BUILD_FAILED` */
  getKernel(id: string): Promise<ReadyKernel> {
    return this.kernels.get(id);
  }

  /** Removes downloads of images that nothing uses at the moment. */
  async pruneCache(options: { dryRun: boolean }): Promise<PrunedCache> {
    const pruned = [await this.#puller?.prune(options), await this.#bundles?.prune(options)];
    return {
      files: pruned.reduce((sum, one) => sum + (one?.files ?? 0), 0),
      bytes: pruned.reduce((sum, one) => sum + (one?.bytes ?? 0), 0),
    };
  }

  listImages(): Image[] {
    return this.store.list();
  }

  listAvailable(): AvailableImage[] {
    return this.catalogs
      .images()
      .map((entry) => describeEntry(entry, this.store.find(entry.name) !== undefined));
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
    const stores = [this.store, this.kernels, this.seeds];
    return (await Promise.all(stores.map((store) => store.findLeftovers()))).flat();
  }

  async removeLeftover(leftover: ArtifactLeftover): Promise<void> {
    if (leftover.of === 'kernel') return this.kernels.removeLeftover(leftover);
    if (leftover.of === 'work-seed') return this.seeds.removeLeftover(leftover);
    return this.store.removeLeftover(leftover);
  }

  #knownNames(): string[] {
    const names = [
      ...this.listImages().flatMap((image) => image.names),
      ...this.catalogs.images().map((entry) => entry.name),
    ];
    return [...new Set(names)].toSorted();
  }

  /** A bare word that is nearly a known name is a typing error, not something to look for in a registry. */
  #isPullable(name: string): boolean {
    if (!this.#puller?.isReference(name)) return false;
    return /[/:@]/.test(name) || nearest(name, this.#knownNames()) === undefined;
  }

  async #update(found: Image, wish: ImageWish, context: WorkContext): Promise<Image> {
    context.report.stage('pull-image');
    const digest = await this.#maker.findDigest(wish, context);
    const isNewer = digest !== undefined && digest !== found.digest;
    if (isNewer) {
      // What it was asked for once, it stays; a kernel that is gone by now is no reason to fail.
      const kernelId = wish.kernelId ?? this.listKernels().find(({ id }) => id === found.kernelId)?.id;
      const kept = { kernelId, leastBytes: found.virtualBytes, replaces: found.id };
      return this.#maker.make({ ...wish, ...kept }, context);
    }
    context.report.stage('up-to-date', found.digest);
    return wish.kernelId === undefined
      ? this.store.get(found.id)
      : this.store.useKernel(found.id, wish.kernelId);
  }

  async #make(wish: ImageWish, context: WorkContext): Promise<Image> {
    const found = this.store.find(wish.name); // other work may have ended between the question and now
    if (found) return found;
    const startedAt = this.#clock.now();
    const image = await this.#maker.make(wish, context);
    this.#log.info({ image: image.name, id: image.id, ms: this.#clock.now() - startedAt }, 'made an image');
    return image;
  }
}

/** Whoever wishes for the same shares the work. */
function workKey(work: 'obtain' | 'pull', { name, reference, sizeBytes, kernelId }: ImageWish): string {
  return JSON.stringify([work, familiarName(name), familiarName(reference), sizeBytes, kernelId]);
}
