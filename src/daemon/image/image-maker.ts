import { UserError } from '#contract/errors.ts';
import type { Image } from '#contract/owner/image.ts';
import { familiarName } from '#oci/familiar-name.ts';
import type { BundlePuller, ImageBuilder, ImagePuller, PullRequest } from './builders.ts';
import type { Catalogs } from './catalog/catalogs.ts';
import type { BundleEntry, ImageEntry, OciEntry } from './catalog/entry.ts';
import type { ImageDraft, ImageStore } from './image-store.ts';
import type { Recipe } from './recipes.ts';
import type { WorkContext } from './shared-work.ts';

/** What an image is to be when it is not there yet. */
export interface ImageWish extends PullRequest {
  name: string;
  kernelId?: string | undefined;
  /** Id of the image that has the name and gives it away. */
  replaces?: string | undefined;
}

export interface ImageMakerOptions {
  store: ImageStore;
  catalogs: Catalogs;
  imageBuilder: ImageBuilder;
  /** Without one, no image comes from a registry. */
  puller: ImagePuller | undefined;
  /** Without one, no image comes of a bundle. */
  bundles: BundlePuller | undefined;
  /** The kernel that goes by this name here. */
  findKernelId: (name: string) => string | undefined;
}

/** Makes images of what catalogs and registries have. */
export class ImageMaker {
  readonly #options: ImageMakerOptions;

  constructor(options: ImageMakerOptions) {
    this.#options = options;
  }

  /** What a catalog has under the reference, else what a registry has. */
  make(wish: ImageWish, context: WorkContext): Promise<Image> {
    const entry = this.#options.catalogs.findImage(wish.reference);
    if (!entry) return this.#pull(wish, wish, context);
    if (entry.kind === 'oci') return this.#pull(wish, requestOf(entry, wish), context);
    if (entry.kind === 'bundle') return this.#unpack(entry, wish, context);
    return this.#build(entry.recipe, wish, context);
  }

  /** How it would be made. */
  kindOf(reference: string): ImageEntry['kind'] {
    return this.#options.catalogs.findImage(reference)?.kind ?? 'oci';
  }

  /** What it would be today; undefined of what is never the same twice. */
  async findDigest(wish: ImageWish, context: WorkContext): Promise<string | undefined> {
    const { catalogs, puller } = this.#options;
    const entry = catalogs.findImage(wish.reference);
    if (entry?.kind === 'bundle') return `sha256:${entry.sha256}`;
    if (entry?.kind === 'recipe') return undefined;
    return puller?.findDigest(entry ? requestOf(entry, wish) : wish, context);
  }

  #build(recipe: Recipe, wish: ImageWish, context: WorkContext): Promise<Image> {
    context.report.stage('build-image');
    const sized = { ...recipe, sizeBytes: wish.sizeBytes ?? recipe.sizeBytes };
    return this.#create(wish, context, async (folder) => {
      await this.#options.imageBuilder.build(sized, folder, context);
      return { kind: 'recipe', source: `recipe:${recipe.name}` };
    });
  }

  #pull(wish: ImageWish, request: PullRequest, context: WorkContext): Promise<Image> {
    const { puller } = this.#options;
    if (!puller) throw new Error(`nothing pulls "${request.reference}"`);
    context.report.stage('pull-image');
    return this.#create(wish, context, async (folder) => {
      const { reference, digest, config } = await puller.pull(request, folder, context);
      return { kind: 'oci', source: `oci:${reference}`, digest, config };
    });
  }

  #unpack(entry: BundleEntry, wish: ImageWish, context: WorkContext): Promise<Image> {
    const { bundles, findKernelId } = this.#options;
    if (!bundles) throw new Error(`nothing unpacks "${wish.reference}"`);
    if (wish.sizeBytes !== undefined) throw fixedSize(entry.name);
    context.report.stage('pull-image');
    return this.#create(wish, context, async (folder) => {
      const { manifest, digest } = await bundles.pull(entry, folder, context);
      const kernelId = manifest.kernel && findKernelId(manifest.kernel.name);
      return {
        kind: 'bundle',
        source: `bundle:${entry.url.href}`,
        digest,
        ...(manifest.config && { config: manifest.config }),
        ...(kernelId !== undefined && { kernelId }),
      };
    });
  }

  /** Only what is called as its entry may have a name of a catalog. */
  #create(
    { name, reference, kernelId, replaces }: ImageWish,
    { signal }: WorkContext,
    build: (folder: string) => Promise<ImageDraft>,
  ): Promise<Image> {
    const draft = async (folder: string) => ({
      ...(await build(folder)),
      ...(kernelId !== undefined && { kernelId }),
    });
    return this.#options.store.create(name, draft, {
      signal,
      isOwn: isCalledAs({ name, reference }),
      replaces,
    });
  }
}

/** Its name is what it is made of, and not one of its own. */
export function isCalledAs({ name, reference }: Pick<ImageWish, 'name' | 'reference'>): boolean {
  return familiarName(name) === familiarName(reference);
}

/** What a registry is asked for; the image is still called as the entry. */
function requestOf({ reference, sizeBytes }: OciEntry, wish: ImageWish): PullRequest {
  const { leastBytes, insecureHttp } = wish;
  return { reference, sizeBytes: wish.sizeBytes ?? sizeBytes, leastBytes, insecureHttp };
}

/** A bundle holds a file system that is finished. */
export function fixedSize(name: string): UserError {
  return new UserError(
    'INVALID_ARGUMENT',
    `Cannot give "${name}" a size: a bundle has the one it was made with`,
    {
      hint: 'give the VM a larger disk: banger vm create --disk-size',
    },
  );
}
