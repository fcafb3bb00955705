import { randomHex } from '#base/ids.ts';
import { UserError } from '#contract/errors.ts';
import type {
  CommitImageRequest,
  DeletedImage,
  ExportImageRequest,
  Image,
  ImageDetails,
  ImageList,
  ImportImageRequest,
  PrunedCache,
  PullImageRequest,
  RegisterImageRequest,
  SeedImageRequest,
} from '#contract/owner/image.ts';
import type { Operation } from '#contract/owner/operation.ts';
import { runCommand } from '#host/run-command.ts';
import type { OperationContext, Operations } from '../operation/operations.ts';
import { exportImage } from './export-image.ts';
import { isCalledAs } from './image-maker.ts';
import type { ImageService } from './image-service.ts';
import { assertExt4 } from './source/image-source.ts';
import { importImage, nameOfImport } from './source/import-image.ts';
import { inUse, ROOT_DISK_FILE, type ImageUser } from './image-store.ts';
import { parsePublicKey } from './work-seed/public-key.ts';

/** What images need to know of VMs. */
export interface ImageVms {
  /** Those that begin from an image. */
  usersOf(imageId: string): ImageUser[];
  /**
   * Writes the whole disk of a VM that is stopped, and stays so meanwhile, to a raw file.
   *
   * @throws UserError `VM_NOT_FOUND`, `VM_RUNNING`, `DISK_DAMAGED`
   */
  exportDisk(
    reference: string,
    target: string,
    context: OperationContext,
  ): Promise<{ name: string; imageId: string }>;
}

export interface ImageActionsOptions {
  images: ImageService;
  operations: Operations;
  vms: ImageVms;
}

/** Everything a user can do with images. */
export class ImageActions {
  readonly #options: ImageActionsOptions;

  constructor(options: ImageActionsOptions) {
    this.#options = options;
  }

  async list(): Promise<ImageList> {
    const { images } = this.#options;
    await images.catalogs.refresh();
    const seedBytes = await images.seeds.allocatedBytes();
    return {
      images: images.listImages().map((image) => withSeed(image, seedBytes)),
      available: images.listAvailable(),
      catalogProblems: [...images.catalogs.problems()],
    };
  }

  async get(reference: string): Promise<ImageDetails> {
    const { images, vms } = this.#options;
    const image = images.store.get(reference);
    return {
      ...withSeed(image, await images.seeds.allocatedBytes()),
      vms: vms.usersOf(image.id).map(({ id, name, state }) => ({ id, name, state })),
      workSeed: (await images.seeds.find(image.id)) ?? null,
    };
  }

  tag(reference: string, name: string): Image {
    return this.#options.images.store.tag(reference, name);
  }

  async delete(reference: string, { force }: { force: boolean }): Promise<DeletedImage> {
    const { images, vms } = this.#options;
    const users = (id: string) => vms.usersOf(id);
    const deleted = await images.store.delete(reference, { users, force });
    await images.store.removeNameless(users);
    return deleted;
  }

  /** Answers with what is there when the name is there already and nothing newer is to be had. */
  async pull(request: PullImageRequest): Promise<Operation> {
    const { images } = this.#options;
    const { reference, name = reference, sizeBytes, insecureHttp, kernel } = request;
    await images.catalogs.refresh({ isNeeded: images.catalogs.findImage(reference) === undefined });
    if (!images.store.find(name)) {
      images.store.checkNewName(name, isCalledAs({ name, reference }));
      images.assertObtainable(reference);
    }
    const kernelId = this.#kernelId(kernel);
    return this.#begin('image.pull', (context) =>
      images.pull(
        { reference, name, sizeBytes, insecureHttp, kernelId },
        { signal: context.signal, report: context },
      ),
    );
  }

  async import(request: ImportImageRequest): Promise<Operation> {
    const { images } = this.#options;
    const name = await nameOfImport(request);
    images.store.checkNewName(name);
    const kernelId = this.#kernelId(request.kernel);
    const findKernelId = (kernel: string) => images.findKernelId(kernel);
    return this.#begin('image.import', (context) => {
      context.stage('read-source');
      const build = async (folder: string) => ({
        ...(await importImage(request, { folder, findKernelId }, context)),
        ...(kernelId && { kernelId }),
      });
      return images.store.create(name, build, context);
    });
  }

  async register({ path, name, kernel }: RegisterImageRequest): Promise<Image> {
    const { store } = this.#options.images;
    const kernelId = this.#kernelId(kernel);
    store.checkNewName(name);
    await assertExt4(path);
    const draft = { id: randomHex(6), kind: 'register' as const, source: `register:${path}` };
    return store.register(name, path, { ...draft, ...(kernelId && { kernelId }) });
  }

  /** Refused while VMs use it: their disks name the file where it is. */
  async promote(reference: string): Promise<Operation> {
    const { images, vms } = this.#options;
    const image = images.store.get(reference);
    const { path } = image;
    if (path === undefined) throw alreadyManaged(image);
    return this.#begin('image.promote', async (context) => {
      using _ = images.store.hold(image.id);
      const users = vms.usersOf(image.id);
      if (users.length > 0) throw inUse('promote', image, users);
      context.stage('copy-disk');
      await assertExt4(path);
      const copy = async (target: string) => {
        const args = ['--sparse=always', '--reflink=auto', '--', path, target];
        await runCommand('cp', args, { signal: context.signal });
        await runCommand('chmod', ['0444', target]);
      };
      return images.store.promote(image, copy, context);
    });
  }

  async export(reference: string, { path, format }: ExportImageRequest): Promise<Operation> {
    const { store } = this.#options.images;
    const { id } = store.get(reference);
    return this.#begin('image.export', async (context) => {
      using _ = store.hold(id);
      const { record, rootDiskPath } = await store.ready(store.get(id));
      context.stage('write-export', path);
      const { name, config } = record;
      await exportImage({ rootDiskPath, name, config, path, format }, context);
      return record;
    });
  }

  /** Makes the work seed that an image has with this key, or with none. */
  async seed(reference: string, { publicKey }: SeedImageRequest): Promise<Operation> {
    const { images, operations } = this.#options;
    const { id } = images.store.get(reference);
    const key = publicKey === undefined ? undefined : parsePublicKey(publicKey);
    return operations.begin({ kind: 'image.seed' }, async (context) => {
      using _ = images.store.hold(id);
      const image = await images.store.ready(images.store.get(id));
      await using seed = await images.seeds.ensure(image, key, { signal: context.signal, report: context });
      return { image: image.record, workSeed: seed.workSeed };
    });
  }

  async commit({ vm, name }: CommitImageRequest): Promise<Operation> {
    const { images, vms } = this.#options;
    images.store.checkNewName(name);
    return this.#begin('image.commit', (context) =>
      images.store.create(
        name,
        async (folder) => {
          context.stage('copy-disk');
          const source = await vms.exportDisk(vm, `${folder}/${ROOT_DISK_FILE}`, context);
          const { config, kernelId } = images.store.find(source.imageId) ?? {};
          const kept = { ...(config && { config }), ...(kernelId && { kernelId }) };
          return { kind: 'commit', source: `commit:${source.name}`, ...kept };
        },
        context,
      ),
    );
  }

  /** Images without a name that no VM uses go too: nobody can want them. */
  async pruneCache(options: { dryRun: boolean }): Promise<PrunedCache> {
    const { images, vms } = this.#options;
    const users = (id: string) => vms.usersOf(id);
    const pruned = await images.pruneCache(options);
    const nameless = images.store.findNameless(users);
    if (!options.dryRun) await images.store.removeNameless(users);
    const bytes = nameless.reduce((sum, image) => sum + image.allocatedBytes, pruned.bytes);
    return { files: pruned.files + nameless.length, bytes };
  }

  #begin(
    kind: Exclude<
      Extract<Operation['kind'], `image.${string}`>,
      'image.seed' | 'image.build' | 'image.bundle'
    >,
    body: (context: OperationContext) => Promise<Image>,
  ): Operation {
    return this.#options.operations.begin({ kind }, async (context) => ({ image: await body(context) }));
  }

  /** @throws UserError `KERNEL_NOT_FOUND`, `INVALID_ARGUMENT` when the reference could mean several */
  #kernelId(reference: string | undefined): string | undefined {
    return reference === undefined ? undefined : this.#options.images.findKernel(reference).id;
  }
}

/** What an image takes on the host, with what was made of it. */
function withSeed(image: Image, seedBytes: ReadonlyMap<string, number>): Image {
  return { ...image, allocatedBytes: image.allocatedBytes + (seedBytes.get(image.id) ?? 0) };
}

function alreadyManaged({ name }: Image): UserError {
  return new UserError(
    'INVALID_ARGUMENT',
    `Cannot promote the image "${name}": its disk is in banger's own folder already`,
    { hint: 'only what was registered with "banger image register" can be promoted' },
  );
}
