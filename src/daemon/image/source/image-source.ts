import { lstat, mkdir, open, rm, stat } from 'node:fs/promises';
import type { Abortable } from '#base/abort.ts';
import { systemErrorCode } from '#base/errors.ts';
import { pathExists } from '#host/files.ts';
import { LAYER_LIMITS, type LayerLimits } from '#oci/layers/layer-limits.ts';
import { readDockerArchive } from './docker-archive.ts';
import { inspectTar, type TarReading } from './inspect-tar.ts';
import { invalidSource } from './invalid-source.ts';
import { LayoutFolder } from './layout-folder.ts';
import { readOciLayout } from './oci-layout.ts';
import type { ImageSource } from './opened-source.ts';
import { unpackArchive } from './unpack-archive.ts';

export interface SourceOptions extends Abortable {
  /** For what must be unpacked to be read; it is the caller's to remove. */
  workFolder: string;
  limits?: LayerLimits;
}

/**
 * Finds out what a path holds: the folder of a root file system, an OCI layout (folder or tar), what `docker save` wrote, or the
 * tar of a root file system, each tar with gzip or zstd or without.
 *
 * @throws UserError `IMAGE_SOURCE_INVALID`, `IMAGE_LAYER_INVALID`, `IMAGE_TOO_LARGE`, `IMAGE_PLATFORM_MISSING`, `HOST_DISK_FULL`; the
 *   signal's reason
 */
export async function openImageSource(path: string, options: SourceOptions): Promise<ImageSource> {
  const { isFolder } = await look(path);
  if (isFolder) {
    const isLayout = await pathExists(`${path}/oci-layout`);
    return isLayout ? readOciLayout(new LayoutFolder(path), options) : { root: { folder: path } };
  }
  await assertTar(path);
  const reading = { limits: LAYER_LIMITS, ...options };
  const found = await inspectTar(path, reading);
  if (found.kind === 'root') {
    // Nobody promised a digest of it: it has the one that it has.
    return { root: { layers: [{ path, mediaType: '', digest: path, diffId: found.diffId }] } };
  }
  return readArchive(path, found.kind, reading);
}

async function readArchive(
  path: string,
  kind: 'oci' | 'docker',
  { workFolder, ...reading }: TarReading & SourceOptions,
): Promise<ImageSource> {
  const folder = `${workFolder}/archive`;
  await mkdir(folder, { mode: 0o700 });
  try {
    const archive = await unpackArchive(path, { folder, ...reading });
    return await (kind === 'oci' ? readOciLayout(archive, reading) : readDockerArchive(archive, reading));
  } catch (error) {
    await rm(folder, { recursive: true });
    throw error;
  }
}

/** @throws UserError `IMAGE_SOURCE_INVALID` */
export async function assertExt4(path: string): Promise<void> {
  const { isFolder } = await look(path);
  const head = isFolder ? Buffer.alloc(0) : await readHead(path, SUPERBLOCK_OFFSET + 0x3a);
  const isExt4 =
    head.length === SUPERBLOCK_OFFSET + 0x3a && head.readUInt16LE(SUPERBLOCK_OFFSET + 0x38) === EXT_MAGIC;
  if (!isExt4) throw invalidSource(path, 'it is no raw ext4 file system');
}

const SUPERBLOCK_OFFSET = 1024;
const EXT_MAGIC = 0xef53;
const TAR_MAGIC_OFFSET = 257;
const HEAD_BYTES = 512;
/** gzip, zstd */
const PACKED = [Buffer.from([0x1f, 0x8b]), Buffer.from([0x28, 0xb5, 0x2f, 0xfd])];

async function look(path: string): Promise<{ isFolder: boolean }> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) return { isFolder: true };
    if (found.isFile()) return { isFolder: false };
  } catch (error) {
    const code = systemErrorCode(error);
    if (code !== 'ENOENT' && code !== 'EACCES' && code !== 'ENOTDIR') throw error;
    throw invalidSource(path, code === 'EACCES' ? 'it cannot be read' : 'there is no such file', {
      cause: error,
    });
  }
  const { mode } = await lstat(path);
  throw invalidSource(path, `it is neither a file nor a folder (mode ${mode.toString(8)})`);
}

async function assertTar(path: string): Promise<void> {
  const head = await readHead(path, HEAD_BYTES);
  const isPacked = PACKED.some((magic) => head.subarray(0, magic.length).equals(magic));
  if (isPacked || head.toString('latin1', TAR_MAGIC_OFFSET, TAR_MAGIC_OFFSET + 5) === 'ustar') return;
  throw invalidSource(path, 'it is neither a tar (plain, gzip or zstd) nor a folder');
}

async function readHead(path: string, length: number): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
