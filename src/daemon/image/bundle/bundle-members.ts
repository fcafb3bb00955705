import { open } from 'node:fs/promises';
import type { Abortable } from '#base/abort.ts';
import { GiB, KiB, MiB } from '#base/sizes.ts';
import { ByteSource } from '#oci/layers/byte-source.ts';
import { LayerFault, shownName } from '#oci/layers/layer-fault.ts';
import { LAYER_LIMITS } from '#oci/layers/layer-limits.ts';
import { openLayer } from '#oci/layers/open-layer.ts';
import { readTar, type TarMember } from '#oci/layers/read-tar.ts';
import { paddedSizeOf } from '#oci/layers/tar-header.ts';
import { MAX_BUNDLE_BYTES } from '../catalog/catalog-schema.ts';
import { ROOT_DISK_FILE } from '../image-store.ts';
import { MANIFEST_FILE, MAX_MANIFEST_BYTES } from './bundle-manifest.ts';

/** A member of a bundle that may be there; its content is taken from `source`. */
export interface BundleMember {
  name: typeof MANIFEST_FILE | typeof ROOT_DISK_FILE;
  size: number;
  source: ByteSource;
}

const ZSTD_MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
/** Both members and what a tar adds. Nothing is refused for packing well: an empty disk is all zeroes. */
const UNPACKED_BYTES = MAX_BUNDLE_BYTES + 4 * MiB;
const LIMITS = {
  ...LAYER_LIMITS,
  maxBytes: UNPACKED_BYTES,
  maxRatio: 1,
  ratioFreeBytes: UNPACKED_BYTES,
};

/**
 * The members of a bundle as they come, each of which the caller takes in full before it asks for the next one.
 *
 * @throws LayerFault for whatever is not a bundle
 */
export async function* readBundleMembers(path: string, { signal }: Abortable): AsyncGenerator<BundleMember> {
  if (!(await isZstd(path))) throw new LayerFault('it is not packed with zstd');
  await using source = new ByteSource(
    openLayer(path, { limits: LIMITS, spent: { bytes: 0 }, chunkBytes: 256 * KiB, signal }),
  );
  const seen = new Set<string>();
  for await (const member of readTar(source)) {
    const name = nameOf(member);
    if (seen.has(name)) throw new LayerFault(`it holds "${name}" twice`);
    seen.add(name);
    assertSize(member);
    yield { name, size: member.size, source };
    await source.skip(paddedSizeOf(member.size) - member.size);
  }
  for (const name of [MANIFEST_FILE, ROOT_DISK_FILE]) {
    if (!seen.has(name)) throw new LayerFault(`it holds no "${name}"`);
  }
}

/** Whether a file is packed as bundles are. */
export async function isZstd(path: string): Promise<boolean> {
  await using file = await open(path, 'r');
  const { bytesRead, buffer } = await file.read(Buffer.alloc(ZSTD_MAGIC.length), 0, ZSTD_MAGIC.length, 0);
  return bytesRead === ZSTD_MAGIC.length && buffer.equals(ZSTD_MAGIC);
}

/** Exactly these names, and plain files: there is nothing to be clever about. */
function nameOf({ name, type, xattrs }: TarMember): BundleMember['name'] {
  if (name !== MANIFEST_FILE && name !== ROOT_DISK_FILE)
    throw new LayerFault(`it holds ${shownName(name)}, which no bundle has`);
  if (type !== '0') throw new LayerFault(`"${name}" in it is no plain file`);
  if (xattrs.length > 0) throw new LayerFault(`"${name}" in it has extended attributes`);
  return name;
}

function assertSize({ name, size }: TarMember): void {
  const most = name === MANIFEST_FILE ? MAX_MANIFEST_BYTES : MAX_BUNDLE_BYTES;
  if (size <= most) return;
  const limit = most >= GiB ? `${most / GiB} GiB` : `${most / MiB} MiB`;
  throw new LayerFault(`"${name}" in it has more than ${limit}`, 'IMAGE_TOO_LARGE');
}
