import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Abortable } from '#base/abort.ts';
import type { ProgressReporter } from '#base/progress.ts';
import { formatSize } from '#base/sizes.ts';
import { UserError } from '#contract/errors.ts';
import { freeSpaceBytes } from '#host/capabilities.ts';
import type { BlobCache } from './blob-cache.ts';
import type { Descriptor, LayerFile } from './descriptor.ts';
import { ensureBlob, type BlobOptions } from './ensure-blob.ts';
import { HttpTransport } from './http-transport.ts';
import { assertLayerCount, MAX_CONFIG_BYTES, parseImageConfig, type ImageConfig } from './image-config.ts';
import { inParallel } from './in-parallel.ts';
import { assertPlatform, hostArchitecture } from './platform.ts';
import { PullProgress } from './pull-progress.ts';
import { formatReference, parseReference, type ImageReference } from './reference.ts';
import { RegistryClient } from './registry-client.ts';
import { describeFailure } from './registry-failure.ts';
import type { ServerOptions } from './registry-servers.ts';
import { resolveManifest, type ResolvedImage } from './resolve-manifest.ts';
import { PATIENCE, type Patience } from './with-retries.ts';

export interface PullOptions extends ServerOptions, Abortable {
  cache: BlobCache;
  /** As images name it, `amd64`; this machine's unless told. */
  architecture?: string | undefined;
  /** Files with logins, see `authFilesOf`. */
  authFiles?: readonly string[] | undefined;
  /** Authorities to trust besides the machine's, in PEM. */
  certificates?: readonly string[] | undefined;
  report?: ProgressReporter | undefined;
  /** How long a server may send nothing. */
  stallMs?: number | undefined;
  patience?: Patience | undefined;
}

/** An image whose layers are in the cache. Dispose of it when they have been read: until then they are not pruned. */
export interface PulledImage extends Disposable {
  /** In full: `docker.io/library/alpine:latest`. */
  reference: string;
  /** Of the manifest for the one architecture, not of an index. */
  manifestDigest: string;
  config: ImageConfig;
  /** Oldest first. One file can stand here several times. */
  layers: LayerFile[];
}

const STALL_MS = 30_000;
const PARALLEL_DOWNLOADS = 4;

/**
 * Brings the layers of an image into the cache, each checked against its digest.
 *
 * @throws UserError IMAGE_REFERENCE_INVALID, IMAGE_NOT_FOUND, IMAGE_PLATFORM_MISSING, IMAGE_PULL_FAILED, REGISTRY_UNREACHABLE,
 *   REGISTRY_AUTH_FAILED, DOWNLOAD_CORRUPT, HOST_DISK_FULL, INVALID_ARGUMENT, CONFIG_VALUE_INVALID; the signal's reason when aborted
 */
export async function pullImage(text: string, options: PullOptions): Promise<PulledImage> {
  const reference = parseReference(text);
  const { certificates = [], stallMs = STALL_MS, authFiles = [] } = options;
  using transport = new HttpTransport({ certificates, stallMs });
  const client = new RegistryClient(reference, { ...options, transport, authFiles });
  try {
    return await pull(reference, client, options);
  } catch (error) {
    options.signal?.throwIfAborted();
    throw describeFailure(error, `Cannot pull "${text}"`, reference.registry);
  }
}

async function pull(
  reference: ImageReference,
  client: RegistryClient,
  options: PullOptions,
): Promise<PulledImage> {
  const { architecture = hostArchitecture(), patience = PATIENCE, cache, signal, report } = options;
  report?.detail(`asking ${reference.registry} for ${reference.repository}`);
  const image = await resolveManifest(client, reference, { architecture, patience, signal });
  using building = new DisposableStack();
  const digests = [image.config, ...image.layers].map(({ digest }) => digest);
  building.use(cache.hold(digests));
  await cache.ensureFolders();
  const source = { cache, source: client, patience, signal };
  const config = await fetchConfig(image, { ...source, onBytes: () => {} });
  assertPlatform(config, architecture);
  await fetchLayers(image.layers, source, report);
  const layers = image.layers.map((layer, index) => toLayerFile(layer, cache, config.diffIds[index] ?? ''));
  const held = building.move();
  const { manifestDigest } = image;
  const release = () => held.dispose();
  return { reference: formatReference(reference), manifestDigest, config, layers, [Symbol.dispose]: release };
}

async function fetchConfig({ config, layers }: ResolvedImage, options: BlobOptions): Promise<ImageConfig> {
  if (config.size > MAX_CONFIG_BYTES) {
    throw new UserError(
      'IMAGE_PULL_FAILED',
      `Cannot use the image: its configuration has ${config.size} bytes`,
    );
  }
  const parsed = parseImageConfig(await readFile(await ensureBlob(config, options)));
  assertLayerCount(parsed, layers.length);
  return parsed;
}

async function fetchLayers(
  layers: readonly Descriptor[],
  options: Omit<BlobOptions, 'onBytes'>,
  report: ProgressReporter | undefined,
): Promise<void> {
  // Empty layers are alike, so one blob often stands for several.
  const blobs = [...new Map(layers.map((layer) => [layer.digest, layer])).values()];
  await assertRoom(blobs, options.cache);
  report?.detail(`downloading ${blobs.length === 1 ? '1 layer' : `${blobs.length} layers`}`);
  const progress = new PullProgress(blobs, report);
  await inParallel(blobs, { limit: PARALLEL_DOWNLOADS, signal: options.signal }, (blob, { signal }) =>
    ensureBlob(blob, { ...options, signal, onBytes: (bytes) => progress.set(blob.digest, bytes) }),
  );
}

/** A manifest may claim any size: better to know before the disk is full than after. */
async function assertRoom(blobs: readonly Descriptor[], cache: BlobCache): Promise<void> {
  let missing = 0;
  for (const { digest, size } of blobs) missing += Math.max(0, size - (await cache.countBytes(digest)));
  const free = await freeSpaceBytes(dirname(cache.blobPath('sha256:')));
  if (missing <= free) return;
  throw new UserError(
    'HOST_DISK_FULL',
    `Cannot download the image: its layers take ${formatSize(missing)}, and ${formatSize(free)} are free`,
    { hint: 'banger image cache prune' },
  );
}

function toLayerFile({ mediaType, digest }: Descriptor, cache: BlobCache, diffId: string): LayerFile {
  return { path: cache.blobPath(digest), mediaType, digest, diffId };
}
