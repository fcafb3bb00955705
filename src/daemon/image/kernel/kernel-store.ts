import { lstat, readdir } from 'node:fs/promises';
import type { Clock } from '#base/clock.ts';
import { UserError } from '#contract/errors.ts';
import { KERNEL_NAME, type AvailableKernel, type Kernel } from '#contract/owner/kernel.ts';
import { pathExists } from '#host/files.ts';
import type { KernelRepository } from '#store/kernel-repository.ts';
import type { Architecture } from '../architecture.ts';
import { ArtifactFolder, isArtifactId, type ArtifactLeftover } from '../artifact-folder.ts';
import type { BuiltKernel, KernelBuilder } from '../builders.ts';
import { findKernelByReference } from './find-kernel.ts';
import type { InitramfsFiles } from './initramfs-files.ts';
import { KERNEL_FILE, MODULES_FILE, UNCOMPRESSED_KERNEL_FILE } from './kernel-files.ts';
import { KernelImporter, type KernelGift } from './kernel-importer.ts';
import { DEFAULT_KERNEL_RECIPE, kernelMetapackage, type KernelRecipe } from './kernel-recipes.ts';
import { SharedWork, type BuildOptions, type WorkContext } from '../shared-work.ts';

export interface ReadyKernel {
  record: Kernel;
  kernelPath: string;
  /** The same kernel without its compression, where there is one. */
  uncompressedKernelPath: string | undefined;
  timerHz: number | undefined;
  /** Raw ext4 with what belongs at `/lib/modules/<release>`; read-only. */
  modulesDiskPath: string;
  initramfsPath: string;
}

export interface KernelStoreOptions {
  folder: string;
  repository: KernelRepository;
  builder: KernelBuilder;
  recipes: readonly KernelRecipe[];
  initramfs: InitramfsFiles;
  architecture: Architecture;
  clock: Clock;
}

type NewKernel = Pick<Kernel, 'name' | 'recipe'>;

const KERNEL_FILES: readonly string[] = [KERNEL_FILE, UNCOMPRESSED_KERNEL_FILE, MODULES_FILE];

/** The kernels of this host: their rows and their files. */
export class KernelStore {
  readonly #options: KernelStoreOptions;
  readonly #folder: ArtifactFolder;
  readonly #importer: KernelImporter;
  /** Names that imports on their way are going to have. */
  readonly #namesToCome = new Set<string>();
  readonly #builds = new SharedWork<Kernel>();
  readonly #initramfsBuilds = new SharedWork<string>();

  constructor(options: KernelStoreOptions) {
    this.#options = options;
    this.#importer = new KernelImporter(options.architecture);
    this.#folder = new ArtifactFolder({
      path: options.folder,
      of: 'kernel',
      files: [KERNEL_FILE, MODULES_FILE],
    });
  }

  /** Newest first; the one that new VMs boot is marked. */
  list(): Kernel[] {
    const kernels = this.#options.repository.list();
    const chosen = this.#chooseDefault(kernels)?.id;
    return kernels.map((kernel) => ({ ...kernel, isDefault: kernel.id === chosen }));
  }

  listAvailable(): AvailableKernel[] {
    const { recipes, repository, architecture } = this.#options;
    const pulled = new Set(repository.list().map(({ recipe }) => recipe));
    return recipes.map((recipe) => ({
      ...recipe,
      package: kernelMetapackage(architecture),
      pulled: pulled.has(recipe.name),
    }));
  }

  /** By id, name, entry of the catalog (its newest), or a prefix. @throws UserError `KERNEL_NOT_FOUND`, `INVALID_ARGUMENT` */
  find(reference: string): Kernel {
    return findKernelByReference(this.list(), this.#options.recipes, reference);
  }

  /** The kernel that new VMs boot; the default one of the catalog is fetched when nothing was chosen. */
  async ensure(options: BuildOptions): Promise<ReadyKernel> {
    const record =
      this.#chooseDefault(this.#options.repository.list()) ??
      (await this.pull(DEFAULT_KERNEL_RECIPE, { force: false }, options));
    return this.#ready(record, options);
  }

  async get(id: string): Promise<ReadyKernel> {
    const record = this.#options.repository.findById(id);
    if (record) return this.#ready(record, {});
    throw new UserError('KERNEL_NOT_FOUND', `Cannot use the kernel "${id}": it is no longer there`, {
      hint: 'create a new VM, which takes the kernel of today',
    });
  }

  /** Whether a catalog has a kernel of this name. */
  offers(name: string): boolean {
    return this.#options.recipes.some((recipe) => recipe.name === name);
  }

  /** @throws UserError `KERNEL_NOT_FOUND` */
  getRecipe(name: string): KernelRecipe {
    const { recipes } = this.#options;
    const found = recipes.find((recipe) => recipe.name === name);
    if (found) return found;
    const known = recipes.map((recipe) => recipe.name);
    throw new UserError('KERNEL_NOT_FOUND', `Cannot pull "${name}": the catalog has no kernel of this name`, {
      hint: `known: ${known.join(', ')}; others can be imported: banger kernel import`,
      details: { known },
    });
  }

  /**
   * The kernel of an entry of the catalog, fetched when it is not here, or anew when that is forced. Callers at the same
   * time share the work.
   *
   * @throws UserError `KERNEL_NOT_FOUND`, `KERNEL_FETCH_FAILED`, `HOST_TOOL_MISSING`, `HOST_DISK_FULL`; the signal's reason
   */
  pull(name: string, { force }: { force: boolean }, options: BuildOptions): Promise<Kernel> {
    const recipe = this.getRecipe(name);
    return this.#builds.join(name, options, async (context) => {
      const found = this.#options.repository.list().find((kernel) => kernel.recipe === name);
      return found && !force ? found : this.#fetch(recipe, force, context);
    });
  }

  /** @throws UserError `INVALID_NAME`, `KERNEL_NAME_TAKEN` */
  checkNewName(name: string): void {
    if (!KERNEL_NAME.test(name) || isArtifactId(name)) {
      throw new UserError('INVALID_NAME', `Cannot call a kernel "${name}": the name is not allowed`, {
        hint: 'use up to 64 letters, digits, dots, pluses, hyphens and underscores, beginning with a letter or digit',
      });
    }
    const isTaken = this.#namesToCome.has(name) || this.#options.repository.findByName(name) !== undefined;
    if (!isTaken && !this.#options.recipes.some((recipe) => recipe.name === name)) return;
    throw new UserError('KERNEL_NAME_TAKEN', `Cannot call a kernel "${name}": another one has this name`, {
      hint: isTaken ? `choose another name, or banger kernel rm ${name}` : 'choose another name',
    });
  }

  /** @throws UserError what {@link checkNewName} throws, `KERNEL_INVALID`, `HOST_TOOL_MISSING`, `HOST_DISK_FULL`; the signal's reason */
  import(name: string, gift: KernelGift, options: BuildOptions): Promise<Kernel> {
    return this.#builds.join(JSON.stringify({ name, gift }), options, (context) =>
      this.#import(name, gift, context),
    );
  }

  setDefault(id: string): void {
    this.#options.repository.setDefault(id);
  }

  /** The row first: a folder without one is a leftover that the next start removes. */
  async remove(id: string): Promise<void> {
    this.#options.repository.delete(id);
    await this.#folder.remove({ of: 'kernel', kind: 'unknown', id, path: this.folderOf(id) });
  }

  folderOf(id: string): string {
    return `${this.#folder.path}/${id}`;
  }

  findLeftovers(): Promise<ArtifactLeftover[]> {
    return this.#folder.findLeftovers(new Set(this.list().map(({ id }) => id)));
  }

  async removeLeftover(leftover: ArtifactLeftover): Promise<void> {
    if (leftover.kind === 'missing') this.#options.repository.delete(leftover.id);
    await this.#folder.remove(leftover);
  }

  /** What somebody chose, else the newest of the catalog's default. What was imported is taken only when it is chosen. */
  #chooseDefault(kernels: readonly Kernel[]): Kernel | undefined {
    const { name } = this.#options.architecture;
    return (
      kernels.find(({ isDefault }) => isDefault) ??
      kernels.find(({ recipe, architecture }) => recipe === DEFAULT_KERNEL_RECIPE && architecture === name)
    );
  }

  async #import(name: string, gift: KernelGift, context: WorkContext): Promise<Kernel> {
    this.checkNewName(name);
    this.#namesToCome.add(name);
    try {
      context.report.stage('import-kernel');
      return await this.#make(context, async (folder) => ({
        ...(await this.#importer.build(gift, folder, context)),
        name,
      }));
    } finally {
      this.#namesToCome.delete(name);
    }
  }

  #fetch(recipe: KernelRecipe, newest: boolean, context: WorkContext): Promise<Kernel> {
    context.report.stage('fetch-kernel');
    return this.#make(context, async (folder) => {
      const built = await this.#options.builder.build(folder, context, { recipe, newest });
      return { ...built, name: `${recipe.distribution.toLowerCase()}-${built.release}`, recipe: recipe.name };
    });
  }

  #make(context: WorkContext, build: (folder: string) => Promise<BuiltKernel & NewKernel>): Promise<Kernel> {
    const { architecture, clock } = this.#options;
    return this.#folder.build(async (artifact) => {
      const made = await build(artifact.folder);
      const record: Kernel = {
        id: artifact.id,
        ...made,
        architecture: architecture.name,
        isDefault: false,
        allocatedBytes: await allocatedBytesOf(artifact.folder),
        createdAt: new Date(clock.now()).toISOString(),
      };
      context.signal.throwIfAborted();
      await this.#folder.publish(artifact);
      return this.#insert(record);
    });
  }

  /** One that was fetched again takes the place of the one before, which goes on for the VMs that have it. */
  #insert(record: Kernel): Kernel {
    const { repository } = this.#options;
    const before = repository.findByName(record.name);
    if (!before) {
      repository.insert(record);
      return record;
    }
    if (before.recipe === undefined) {
      const renamed = { ...record, name: nameWithId(record) }; // what somebody imported keeps the name it was given
      repository.insert(renamed);
      return renamed;
    }
    const inserted = { ...record, isDefault: before.isDefault };
    repository.supersede(before, nameWithId(before), inserted);
    return inserted;
  }

  async #ready(record: Kernel, options: BuildOptions): Promise<ReadyKernel> {
    const folder = this.folderOf(record.id);
    const initramfsPath = await this.#initramfsBuilds.join(record.id, options, () =>
      this.#options.initramfs.ensure(folder),
    );
    const uncompressed = `${folder}/${UNCOMPRESSED_KERNEL_FILE}`;
    return {
      record,
      kernelPath: `${folder}/${KERNEL_FILE}`,
      uncompressedKernelPath: (await pathExists(uncompressed)) ? uncompressed : undefined,
      timerHz: record.timerHz,
      modulesDiskPath: `${folder}/${MODULES_FILE}`,
      initramfsPath,
    };
  }
}

function nameWithId({ name, id }: Kernel): string {
  return `${name.slice(0, 51)}-${id}`;
}

/** What its files take on the host; one that has two names is counted once. */
async function allocatedBytesOf(folder: string): Promise<number> {
  const names = (await readdir(folder)).filter((name) => KERNEL_FILES.includes(name));
  const stats = await Promise.all(names.map((name) => lstat(`${folder}/${name}`)));
  const blocks = new Map(stats.map((stat) => [stat.ino, stat.blocks]));
  return [...blocks.values()].reduce((sum, count) => sum + count * 512, 0);
}
