import { mkdir, rm } from 'node:fs/promises';
import { UserError } from '#contract/errors.ts';
import type { ImportImageRequest } from '#contract/owner/image.ts';
import { digestOfFile } from '#oci/digest.ts';
import type { OperationContext } from '../../operation/operations.ts';
import { peekBundle, unpackBundle } from '../bundle/unpack-bundle.ts';
import { fixedSize } from '../image-maker.ts';
import { openImageSource } from './image-source.ts';
import type { ImageDraft } from '../image-store.ts';
import { invalidSource } from './invalid-source.ts';
import { makeRootDisk } from '../root-disk.ts';

export interface ImportOptions {
  /** The kernel that goes by this name here. */
  findKernelId: (name: string) => string | undefined;
}

/** What an import is called when it is not told: only a bundle brings a name. @throws UserError `INVALID_ARGUMENT` */
export async function nameOfImport({ path, name }: ImportImageRequest): Promise<string> {
  if (name !== undefined) return name;
  const bundle = await peekBundle(path);
  if (bundle?.manifest) return bundle.manifest.name;
  throw new UserError('INVALID_ARGUMENT', `Cannot import "${path}": the image needs a name`, {
    hint: 'give --name NAME; only a bundle brings one',
  });
}

/**
 * Makes `rootfs.ext4` of a file or folder, in a folder that is thrown away when it rejects.
 *
 * @throws UserError `IMAGE_SOURCE_INVALID`, `BUNDLE_INVALID`, `DOWNLOAD_CORRUPT`, what merging layers and making file systems throw
 */
export async function importImage(
  request: ImportImageRequest,
  { folder, findKernelId }: ImportOptions & { folder: string },
  context: OperationContext,
): Promise<ImageDraft> {
  const { path, sizeBytes, sha256 } = request;
  const { signal } = context;
  if (sha256 !== undefined) await assertSha256(path, sha256, context);
  if (await peekBundle(path, { signal })) {
    if (sizeBytes !== undefined) throw fixedSize(path);
    context.stage('unpack-bundle');
    const { config, kernel } = await unpackBundle({ path, name: path }, folder, { signal, report: context });
    const kernelId = kernel && findKernelId(kernel.name);
    const known = { ...(config && { config }), ...(kernelId !== undefined && { kernelId }) };
    const digest = sha256 === undefined ? {} : { digest: `sha256:${sha256}` };
    return { kind: 'bundle', source: `bundle:${path}`, ...digest, ...known };
  }
  const workFolder = `${folder}/source`;
  await mkdir(workFolder, { mode: 0o700 });
  const { root, ...known } = await openImageSource(path, { workFolder, signal });
  context.stage('make-file-system');
  await makeRootDisk({ root, folder, sizeBytes }, { signal, report: context, log: context.log });
  await rm(workFolder, { recursive: true });
  return { kind: 'import', source: `import:${path}`, ...known };
}

/** Before anything in it is believed. */
async function assertSha256(path: string, sha256: string, { signal }: OperationContext): Promise<void> {
  const digest = await digestOfFile(path, { signal }).catch((error: unknown) => {
    signal.throwIfAborted();
    throw invalidSource(path, 'only a file has a sha256, and this cannot be read as one', { cause: error });
  });
  if (digest === `sha256:${sha256}`) return;
  throw new UserError(
    'DOWNLOAD_CORRUPT',
    `Cannot use "${path}": its digest is ${digest}, not sha256:${sha256}`,
    {
      hint: 'fetch it again',
    },
  );
}
