import type { Abortable } from '#base/abort.ts';
import type { BuildImageRequest } from '#contract/owner/image-build.ts';
import type { BundleImageRequest, ImageBundle } from '#contract/owner/image-bundle.ts';
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
  WorkSeed,
} from '#contract/owner/image.ts';
import type { OperationResult } from '#contract/owner/operation.ts';
import { API_PREFIX } from '#contract/version.ts';
import type { ApiRequest } from './api-request.ts';
import type { OperationHandle, OperationOptions } from './operation-handle.ts';
import type { OperationsClient } from './operations.ts';
import { readBody } from './response.ts';
import type { Transport } from './transport.ts';

export interface DeleteImageOptions extends Abortable {
  /** Also while stopped VMs use it: its names go, its files stay for them. */
  force?: boolean;
}

/**
 * Root disks that VMs begin from. A reference is the exact name or id of one; each method that takes one throws `IMAGE_NOT_FOUND`. What
 * makes or names one throws `INVALID_NAME` and `IMAGE_NAME_TAKEN`, what takes a kernel `KERNEL_NOT_FOUND`.
 */
export class ImagesClient {
  readonly #transport: Transport;
  readonly #operations: OperationsClient;

  constructor(transport: Transport, operations: OperationsClient) {
    this.#transport = transport;
    this.#operations = operations;
  }

  /** Those on this machine, those that can be made by name, and what is wrong with catalogs. */
  async list(options: Abortable = {}): Promise<ImageList> {
    const response = await this.#transport.send({
      method: 'GET',
      path: `${API_PREFIX}/images`,
      signal: options.signal,
    });
    return readBody(response, async () => (await import('#contract/owner/image.ts')).imageListSchema);
  }

  /** With the VMs that begin from it. */
  async get(reference: string, options: Abortable = {}): Promise<ImageDetails> {
    const response = await this.#transport.send({
      method: 'GET',
      path: imagePath(reference),
      signal: options.signal,
    });
    return readBody(response, async () => (await import('#contract/owner/image.ts')).imageDetailsSchema);
  }

  /**
   * Makes an image of what a registry has, or of an entry of a catalog. One of a registry that has the name already is the result as
   * long as the registry has no other one; else the name goes to the new image.
   */
  async pull(request: PullImageRequest, options: OperationOptions = {}): Promise<OperationHandle<Image>> {
    return this.#make('pull', request, options);
  }

  /**
   * Makes an image of a rootfs tar, a `docker save` tar, an OCI layout or a folder, which the daemon reads.
   *
   * @throws UserError, from `result()`, `IMAGE_SOURCE_INVALID`, `IMAGE_BUILD_FAILED`, `DISK_TOO_SMALL`, `HOST_DISK_FULL`
   */
  async import(request: ImportImageRequest, options: OperationOptions = {}): Promise<OperationHandle<Image>> {
    return this.#make('import', request, options);
  }

  /**
   * Makes an image of a Dockerfile with the builder that the host has.
   *
   * @throws UserError `HOST_TOOL_MISSING`, `IMAGE_SOURCE_INVALID`, `IMAGE_PLATFORM_MISSING`; from `result()`, `IMAGE_BUILD_FAILED`
   */
  async build(request: BuildImageRequest, options: OperationOptions = {}): Promise<OperationHandle<Image>> {
    return this.#make('build', request, options);
  }

  /** Makes an image of the disk of a VM. @throws UserError, from `result()`, `VM_NOT_FOUND`, `VM_RUNNING` */
  async commit(request: CommitImageRequest, options: OperationOptions = {}): Promise<OperationHandle<Image>> {
    return this.#make('commit', request, options);
  }

  /** Makes a raw ext4 file an image, in place. @throws UserError `IMAGE_SOURCE_INVALID` */
  async register(request: RegisterImageRequest, options: Abortable = {}): Promise<Image> {
    const path = `${API_PREFIX}/images/register`;
    return this.#change({ method: 'POST', path, body: request, signal: options.signal });
  }

  /** Copies the file of a registered image to where banger keeps its own. @throws UserError, from `result()`, `IMAGE_IN_USE` */
  async promote(reference: string, options: OperationOptions = {}): Promise<OperationHandle<Image>> {
    const { signal } = options;
    const request = { method: 'POST', path: imagePath(reference, 'promote'), signal } as const;
    return this.#operations.begin(request, options, imageOf);
  }

  /** Writes an image to where nothing is yet. @throws UserError, from `result()`, `EXPORT_TARGET_TAKEN` */
  async export(
    reference: string,
    target: ExportImageRequest,
    options: OperationOptions = {},
  ): Promise<OperationHandle<Image>> {
    const { signal } = options;
    const request = { method: 'POST', path: imagePath(reference, 'export'), body: target, signal } as const;
    return this.#operations.begin(request, options, imageOf);
  }

  /**
   * Makes the file system that work disks begin with, of the image's `/root`; one that is there already is the result.
   *
   * @throws UserError `PUBLIC_KEY_INVALID`; from `result()` `IMAGE_SOURCE_INVALID`, `IMAGE_TOO_LARGE`, `HOST_DISK_FULL`
   */
  async seed(
    reference: string,
    request: SeedImageRequest = {},
    options: OperationOptions = {},
  ): Promise<OperationHandle<WorkSeed>> {
    const { signal } = options;
    const path = imagePath(reference, 'work-seed');
    return this.#operations.begin({ method: 'POST', path, body: request, signal }, options, workSeedOf);
  }

  /** Writes an image as a bundle to where nothing is yet. @throws UserError, from `result()`, `EXPORT_TARGET_TAKEN`, `IMAGE_TOO_LARGE` */
  async makeBundle(
    reference: string,
    target: BundleImageRequest,
    options: OperationOptions = {},
  ): Promise<OperationHandle<ImageBundle>> {
    const { signal } = options;
    const request = { method: 'POST', path: imagePath(reference, 'bundle'), body: target, signal } as const;
    return this.#operations.begin(request, options, bundleOf);
  }

  /** Gives an image one more name. */
  async tag(reference: string, name: string, options: Abortable = {}): Promise<Image> {
    const path = imagePath(reference, 'names');
    return this.#change({ method: 'POST', path, body: { name }, signal: options.signal });
  }

  /** Removes an image, or just this name of one that has several. @throws UserError `IMAGE_IN_USE` */
  async delete(reference: string, options: DeleteImageOptions = {}): Promise<DeletedImage> {
    const path = `${imagePath(reference)}${options.force ? '?force=true' : ''}`;
    const response = await this.#transport.send({ method: 'DELETE', path, signal: options.signal });
    return readBody(response, async () => (await import('#contract/owner/image.ts')).deletedImageSchema);
  }

  /** Removes downloads of images that nothing uses at the moment, and images without a name that no VM uses. */
  async pruneCache(options: Abortable & { dryRun?: boolean } = {}): Promise<PrunedCache> {
    const path = `${API_PREFIX}/images/cache/prune${options.dryRun ? '?dryRun=true' : ''}`;
    const response = await this.#transport.send({ method: 'POST', path, signal: options.signal });
    return readBody(response, async () => (await import('#contract/owner/image.ts')).prunedCacheSchema);
  }

  async #make(verb: string, body: object, options: OperationOptions): Promise<OperationHandle<Image>> {
    const request = { method: 'POST', path: `${API_PREFIX}/images/${verb}`, body } as const;
    return this.#operations.begin({ ...request, signal: options.signal }, options, imageOf);
  }

  async #change(request: ApiRequest): Promise<Image> {
    const response = await this.#transport.send(request);
    return readBody(response, async () => (await import('#contract/owner/image.ts')).imageSchema);
  }
}

function imagePath(reference: string, action?: string): string {
  const image = `${API_PREFIX}/images/${encodeURIComponent(reference)}`;
  return action === undefined ? image : `${image}/${action}`;
}

function imageOf({ image }: OperationResult): Image {
  if (!image) throw new Error('the operation succeeded without telling of the image');
  return image;
}

function workSeedOf({ workSeed }: OperationResult): WorkSeed {
  if (!workSeed) throw new Error('the operation succeeded without telling of the work seed');
  return workSeed;
}

function bundleOf({ bundle }: OperationResult): ImageBundle {
  if (!bundle) throw new Error('the operation succeeded without telling of the bundle');
  return bundle;
}
