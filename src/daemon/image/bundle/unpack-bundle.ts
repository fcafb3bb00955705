import { chmod, rm, stat } from 'node:fs/promises';
import type { Abortable } from '#base/abort.ts';
import { systemErrorCode } from '#base/errors.ts';
import type { ProgressReporter } from '#base/progress.ts';
import { UserError } from '#contract/errors.ts';
import { explainToolFailure } from '#ext4/tool-failure.ts';
import { LayerFault } from '#oci/layers/layer-fault.ts';
import { hostArchitecture } from '../architecture.ts';
import { MAX_BUNDLE_BYTES } from '../catalog/catalog-schema.ts';
import { ROOT_DISK_FILE } from '../image-store.ts';
import {
  findBundleManifest,
  looksLikeBundleManifest,
  MANIFEST_FILE,
  parseBundleManifest,
  type BundleManifest,
} from './bundle-manifest.ts';
import { isZstd, readBundleMembers, type BundleMember } from './bundle-members.ts';
import { checkFileSystem } from './check-file-system.ts';
import { writeSparse } from './write-sparse.ts';

export interface BundleFile {
  path: string;
  /** As messages call it. */
  name: string;
}

export interface UnpackOptions extends Abortable {
  report: ProgressReporter;
}

/**
 * Makes `rootfs.ext4` of a bundle in a folder. Nothing counts before all of it has been read, hashed and checked.
 *
 * @throws UserError `BUNDLE_INVALID`, `IMAGE_TOO_LARGE`, `IMAGE_PLATFORM_MISSING`, `HOST_TOOL_MISSING`, `HOST_DISK_FULL`; the
 *   signal's reason
 */
export async function unpackBundle(
  bundle: BundleFile,
  folder: string,
  options: UnpackOptions,
): Promise<BundleManifest> {
  const diskPath = `${folder}/${ROOT_DISK_FILE}`;
  try {
    const { size } = await stat(bundle.path);
    if (size > MAX_BUNDLE_BYTES) throw new LayerFault('it has more than 8 GiB', 'IMAGE_TOO_LARGE');
    const { manifest, disk } = await takeMembers(bundle, diskPath, options);
    assertSame(manifest.rootfs, disk);
    options.report.detail('checking the file system');
    await checkFileSystem(diskPath, options);
    await chmod(diskPath, 0o444);
    return manifest;
  } catch (error) {
    await rm(diskPath, { force: true });
    options.signal?.throwIfAborted();
    throw toFailure(error, bundle);
  }
}

/** The manifest of what looks like a bundle, as far as it stands at the beginning; undefined for what does not. */
export async function peekBundle(
  path: string,
  options: Abortable = {},
): Promise<{ manifest: BundleManifest | undefined } | undefined> {
  try {
    if (!(await stat(path)).isFile() || !(await isZstd(path))) return undefined;
    for await (const member of readBundleMembers(path, options)) {
      if (member.name === ROOT_DISK_FILE) return { manifest: undefined };
      const bytes = await takeManifest(member);
      return looksLikeBundleManifest(bytes) ? { manifest: findBundleManifest(bytes) } : undefined;
    }
  } catch (error) {
    const isUnreadable = ['ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP'].includes(systemErrorCode(error) ?? '');
    if (!isUnreadable && !(error instanceof LayerFault)) throw error; // whatever it is, it is not a bundle
  }
  return undefined;
}

interface WrittenDisk {
  sha256: string;
  bytes: number;
}

async function takeMembers(
  bundle: BundleFile,
  diskPath: string,
  options: UnpackOptions,
): Promise<{ manifest: BundleManifest; disk: WrittenDisk }> {
  let manifest: BundleManifest | undefined;
  let disk: WrittenDisk | undefined;
  options.report.detail('unpacking');
  for await (const member of readBundleMembers(bundle.path, options)) {
    if (member.name === MANIFEST_FILE) {
      manifest = parseBundleManifest(await takeManifest(member));
      assertArchitecture(manifest, bundle);
    } else {
      const { source, size: sizeBytes } = member;
      const sha256 = await writeSparse(source, { path: diskPath, sizeBytes }, options.report);
      disk = { sha256, bytes: sizeBytes };
    }
  }
  if (!manifest || !disk) throw new Error('a bundle was read to its end without its members');
  return { manifest, disk };
}

async function takeManifest({ source, size }: BundleMember): Promise<Buffer> {
  const bytes = await source.take(size);
  if (!bytes && size > 0) throw new LayerFault('it ends in the middle of a member');
  return bytes ?? Buffer.alloc(0);
}

function assertArchitecture({ architecture }: BundleManifest, { name }: BundleFile): void {
  const own = hostArchitecture().name;
  if (architecture === own) return;
  throw new UserError(
    'IMAGE_PLATFORM_MISSING',
    `Cannot use the bundle "${name}": it is for ${architecture}, and this machine is ${own}`,
    { hint: `find one for ${own}`, details: { available: [architecture] } },
  );
}

function assertSame(promised: BundleManifest['rootfs'], disk: WrittenDisk): void {
  if (promised.bytes !== disk.bytes)
    throw new LayerFault(`its rootfs.ext4 has ${disk.bytes} bytes instead of ${promised.bytes}`);
  if (promised.sha256 !== disk.sha256)
    throw new LayerFault(`the sha256 of its rootfs.ext4 is ${disk.sha256} instead of ${promised.sha256}`);
}

/** The disk's own failures keep their meaning; the rest is the bundle's. */
function toFailure(error: unknown, { name }: BundleFile): unknown {
  if (!(error instanceof LayerFault)) {
    const action = `unpack the bundle "${name}"`;
    return explainToolFailure(error, { action, code: 'BUNDLE_INVALID', hint: 'see the details' });
  }
  const code = error.code === 'IMAGE_LAYER_INVALID' ? 'BUNDLE_INVALID' : error.code;
  return new UserError(code, `Cannot use the bundle "${name}": ${error.message}`, {
    hint: 'make it again: banger image make-bundle IMAGE --output FILE',
    cause: error,
  });
}
