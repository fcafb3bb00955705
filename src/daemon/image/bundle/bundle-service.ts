import { basename } from 'node:path';
import type { BundleImageRequest, ImageBundle } from '#contract/owner/image-bundle.ts';
import type { Image } from '#contract/owner/image.ts';
import type { Kernel } from '#contract/owner/kernel.ts';
import type { Operation } from '#contract/owner/operation.ts';
import { UserError } from '#contract/errors.ts';
import type { OperationContext, Operations } from '../../operation/operations.ts';
import { imageEntrySchema } from '../catalog/catalog-schema.ts';
import type { ImageStore } from '../image-store.ts';
import { writeBundle } from './write-bundle.ts';

export interface BundleServiceOptions {
  store: Pick<ImageStore, 'get' | 'hold' | 'ready'>;
  listKernels: () => readonly Kernel[];
  operations: Operations;
}

/** Writes images as bundles. */
export class BundleService {
  readonly #options: BundleServiceOptions;

  constructor(options: BundleServiceOptions) {
    this.#options = options;
  }

  async make(reference: string, request: BundleImageRequest): Promise<Operation> {
    const { store, operations } = this.#options;
    const image = store.get(reference);
    const { name = nameOf(image, reference), description = `the image ${name}` } = request;
    checkEntry({ name, description });
    return operations.begin({ kind: 'image.bundle' }, async (context) => {
      using _ = store.hold(image.id);
      context.stage('write-bundle', request.path);
      const bundle = await this.#write({ image, name, description, path: request.path }, context);
      return { image, bundle };
    });
  }

  async #write(
    { image, name, description, path }: { image: Image; name: string; description: string; path: string },
    context: OperationContext,
  ): Promise<ImageBundle> {
    const { store, listKernels } = this.#options;
    const { rootDiskPath } = await store.ready(image);
    const kernel = listKernels().find(({ id }) => id === image.kernelId);
    const facts = {
      name,
      architecture: image.architecture,
      createdAt: image.createdAt,
      ...(image.config && { config: image.config }),
      ...(kernel && { kernel: { name: kernel.recipe ?? kernel.name } }),
    };
    const written = await writeBundle(
      { rootDiskPath, facts, path },
      { signal: context.signal, report: context },
    );
    const { sha256, bytes, rootfsBytes: sizeBytes } = written;
    const architectures = [image.architecture];
    const url = encodeURIComponent(basename(path));
    const entry = {
      name,
      kind: 'bundle' as const,
      description,
      architectures,
      sizeBytes,
      url,
      sha256,
      bytes,
    };
    return { path, entry };
  }
}

/** The name it was asked for by; an id is none. */
function nameOf({ name, names }: Image, reference: string): string {
  return names.includes(reference) ? reference : name;
}

/** What a catalog would refuse is refused before anything is written. @throws UserError `INVALID_ARGUMENT` */
function checkEntry({ name, description }: { name: string; description: string }): void {
  const facts = { name, kind: 'oci', description, architectures: ['x86_64'], reference: 'x' };
  const issue = imageEntrySchema.safeParse(facts).error?.issues[0];
  if (!issue) return;
  const [key] = issue.path;
  throw new UserError('INVALID_ARGUMENT', `Cannot make a bundle: its ${String(key)} ${issue.message}`, {
    hint: `give another one: --${String(key)}`,
  });
}
