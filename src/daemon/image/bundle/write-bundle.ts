import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress, zstdCompressSync } from 'node:zlib';
import type { Abortable } from '#base/abort.ts';
import type { ProgressReporter } from '#base/progress.ts';
import { UserError } from '#contract/errors.ts';
import { explainToolFailure } from '#ext4/tool-failure.ts';
import { pathExists, syncFolder, temporaryPathFor } from '#host/files.ts';
import { paddedSizeOf } from '#oci/layers/tar-header.ts';
import { tarEnd, tarHeader } from '#oci/layers/write-tar-header.ts';
import { MAX_BUNDLE_BYTES } from '../catalog/catalog-schema.ts';
import { ROOT_DISK_FILE } from '../image-store.ts';
import { MANIFEST_FILE, type BundleManifest } from './bundle-manifest.ts';
import { readDisk } from './read-disk.ts';

export interface BundleSpec {
  rootDiskPath: string;
  /** What the manifest says besides the disk. */
  facts: Omit<BundleManifest, 'version' | 'rootfs'>;
  /** What is made; nothing is there. */
  path: string;
}

export interface WrittenBundle {
  sha256: string;
  bytes: number;
  rootfsBytes: number;
}

/** Level 9 takes three times as long and saves a tenth. */
const LEVEL = 3;

/**
 * Writes an image as a bundle, under a temporary name first. One image always becomes the same bytes: nothing in it tells when or
 * where it was made.
 *
 * @throws UserError `EXPORT_TARGET_TAKEN`, `IMAGE_TOO_LARGE`, `HOST_DISK_FULL`, `IMAGE_BUILD_FAILED`; the signal's reason
 */
export async function writeBundle(
  spec: BundleSpec,
  options: Abortable & { report: ProgressReporter },
): Promise<WrittenBundle> {
  const { path, rootDiskPath, facts } = spec;
  const { size: bytes } = await stat(rootDiskPath);
  await assertWritable(spec, bytes);
  const [temporary, diskPath] = [temporaryPathFor(path), temporaryPathFor(path)];
  try {
    const sha256 = await packDisk(rootDiskPath, { path: diskPath, sizeBytes: bytes }, options);
    const packed = await join({ version: 1, ...facts, rootfs: { sha256, bytes } }, diskPath, {
      temporary,
      ...options,
    });
    await rename(temporary, path);
    await syncFolder(dirname(path));
    return { ...packed, rootfsBytes: bytes };
  } catch (error) {
    await rm(temporary, { force: true });
    options.signal?.throwIfAborted();
    const action = `make a bundle of the image "${facts.name}"`;
    throw explainToolFailure(error, { action, code: 'IMAGE_BUILD_FAILED', hint: 'see the details' });
  } finally {
    await rm(diskPath, { force: true });
  }
}

async function assertWritable({ path, facts: { name } }: BundleSpec, bytes: number): Promise<void> {
  if (bytes > MAX_BUNDLE_BYTES) {
    throw new UserError(
      'IMAGE_TOO_LARGE',
      `Cannot make a bundle of the image "${name}": its disk has more than 8 GiB`,
      { hint: 'banger image export writes images of any size', details: { bytes } },
    );
  }
  if (!(await pathExists(path))) return;
  throw new UserError('EXPORT_TARGET_TAKEN', `Cannot write "${path}": something is there already`, {
    hint: 'remove it, or choose another place',
  });
}

/**
 * The disk as the end of a tar, packed by itself: the manifest comes before it and holds its sha256, and packed pieces may be put
 * behind each other. Returns the sha256 of the disk.
 */
async function packDisk(
  rootDiskPath: string,
  { path, sizeBytes }: { path: string; sizeBytes: number },
  { signal, report }: Abortable & { report: ProgressReporter },
): Promise<string> {
  const hash = createHash('sha256');
  await using disk = await open(rootDiskPath, 'r');
  async function* endOfTar() {
    for await (const chunk of readDisk(disk, sizeBytes, report)) {
      hash.update(chunk);
      yield chunk;
    }
    yield Buffer.alloc(paddedSizeOf(sizeBytes) - sizeBytes);
    yield tarEnd();
  }
  report.detail('packing the disk');
  const compress = createZstdCompress({ params: ZSTD });
  await pipeline(endOfTar, compress, createWriteStream(path, { flags: 'wx' }), { signal });
  return hash.digest('hex');
}

const ZSTD = { [constants.ZSTD_c_compressionLevel]: LEVEL, [constants.ZSTD_c_checksumFlag]: 1 };

/** The manifest and the packed disk as one file, which is on the disk then. */
async function join(
  manifest: BundleManifest,
  diskPath: string,
  { temporary, signal }: Abortable & { temporary: string },
): Promise<{ sha256: string; bytes: number }> {
  const text = Buffer.from(`${JSON.stringify(manifest, undefined, 2)}\n`);
  const padding = Buffer.alloc(paddedSizeOf(text.length) - text.length);
  const before = [header(MANIFEST_FILE, text.length), text, padding];
  const beginning = Buffer.concat([...before, header(ROOT_DISK_FILE, manifest.rootfs.bytes)]);
  const hash = createHash('sha256');
  let bytes = 0;
  async function* whole() {
    yield zstdCompressSync(beginning, { params: ZSTD });
    yield* createReadStream(diskPath) as AsyncIterable<Buffer>;
  }
  await using target = await open(temporary, 'wx');
  for await (const chunk of whole()) {
    signal?.throwIfAborted();
    hash.update(chunk);
    bytes += chunk.length;
    await target.appendFile(chunk);
  }
  await target.sync();
  return { sha256: hash.digest('hex'), bytes };
}

function header(name: string, size: number): Buffer {
  const nobody = { uid: 0, gid: 0, mtime: 0, linkTarget: '', major: 0, minor: 0, xattrs: [] };
  return tarHeader({ name, size, type: '0', mode: 0o644, ...nobody });
}
