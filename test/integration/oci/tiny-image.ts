import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { hostArchitecture } from '#oci/platform.ts';

export const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';
export const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';

export type Compression = 'gzip' | 'zstd';

export interface TinyImage {
  manifest: Buffer;
  manifestDigest: string;
  config: Buffer;
  layers: Buffer[];
  layerDigests: string[];
  diffIds: string[];
  architecture: string;
  /** All of them by digest, the manifest too. */
  blobs: Map<string, Buffer>;
}

export function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** An image whose layers hold these tars, or texts, as good as tars to whoever only moves them. */
export function makeImage(
  texts: readonly (string | Buffer)[],
  options: { compression?: Compression; architecture?: string; config?: object } = {},
): TinyImage {
  const { compression = 'gzip', architecture = hostArchitecture() } = options;
  const plain = texts.map((text) => Buffer.from(text));
  const layers = plain.map((bytes) => (compression === 'gzip' ? gzipSync(bytes) : zstdCompressSync(bytes)));
  const diffIds = plain.map(sha256);
  const config = Buffer.from(
    JSON.stringify({
      os: 'linux',
      architecture,
      config: options.config ?? { Cmd: ['/bin/sh'], Env: ['PATH=/bin'], Labels: { made: 'here' } },
      rootfs: { type: 'layers', diff_ids: diffIds },
    }),
  );
  const layerType = `application/vnd.oci.image.layer.v1.tar+${compression}`;
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST_TYPE,
      config: describe(config, 'application/vnd.oci.image.config.v1+json'),
      layers: layers.map((layer) => describe(layer, layerType)),
    }),
  );
  const blobs = new Map([config, manifest, ...layers].map((bytes) => [sha256(bytes), bytes]));
  const manifestDigest = sha256(manifest);
  return {
    manifest,
    manifestDigest,
    config,
    layers,
    layerDigests: layers.map(sha256),
    diffIds,
    architecture,
    blobs,
  };
}

/** An index over images for several architectures, which it need not name. */
export function makeIndex(images: readonly TinyImage[], { namesPlatforms = true } = {}): Buffer {
  const manifests = images.map(({ manifest, architecture }) => ({
    ...describe(manifest, MANIFEST_TYPE),
    ...(namesPlatforms && { platform: { os: 'linux', architecture } }),
  }));
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests }));
}

/** An OCI layout with one image, or an index of several, called `latest`. */
export async function writeLayout(folder: string, images: readonly TinyImage[]): Promise<void> {
  const blobs = new Map(images.flatMap((image) => [...image.blobs]));
  const index = makeIndex(images);
  const [only] = images;
  const top =
    images.length === 1 && only ? describe(only.manifest, MANIFEST_TYPE) : describe(index, INDEX_TYPE);
  if (images.length > 1) blobs.set(sha256(index), index);
  await mkdir(join(folder, 'blobs/sha256'), { recursive: true });
  for (const [digest, bytes] of blobs)
    await writeFile(join(folder, 'blobs', digest.replace(':', '/')), bytes);
  const annotations = { 'org.opencontainers.image.ref.name': 'latest' };
  const list = { schemaVersion: 2, manifests: [{ ...top, annotations }] };
  await writeFile(join(folder, 'index.json'), JSON.stringify(list));
  await writeFile(join(folder, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
}

function describe(bytes: Buffer, mediaType: string) {
  return { mediaType, digest: sha256(bytes), size: bytes.length };
}
