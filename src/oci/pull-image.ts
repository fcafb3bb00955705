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
import type { Proxy } from './proxy.ts';
import { PullProgress } from './pull-progress.ts';
import { formatReference, parseReference, type ImageReference } from './reference.ts';
import { RegistryClient } from './registry-client.ts';
import { describeFailure } from './registry-failure.ts';
import type { ServerOptions } from './registry-servers.ts';
import { resolveManifest, type ResolvedImage } from './resolve-manifest.ts';
import { PATIENCE, type Patience } from './with-retries.ts';

export interface RegistryOptions extends ServerOptions, Abortable {
  /** As images name it, `amd64`; this machine's unless told. */
  architecture?: string | undefined;
  /** Files with logins, see `authFilesOf`. */
  authFiles?: readonly string[] | undefined;
  /** Authorities to trust besides the machine's, in PEM. */
  certificates?: readonly string[] | undefined;
  proxy?: Proxy | undefined;
  /** How long a server may send nothing. */
  stallMs?: number | undefined;
  patience?: Patience | undefined;
}

export interface PullOptions extends RegistryOptions {
  cache: BlobCache;
  report?: ProgressReporter | undefined;
  /** Called for each layer that is here, while others are still to come; it checks what is in the layer, or who reads it then. */
  onLayer?: ((layer: LayerFile, options: { signal: AbortSignal }) => Promise<void>) | undefined;
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

type OnBlob = (digest: string, options: { signal: AbortSignal }) => Promise<void>;

const STALL_MS = 30_000;
const PARALLEL_DOWNLOADS = 4;

/**
 * Brings the layers of an image into the cache, each checked against its digest.
 *
 * @throws UserError IMAGE_REFERENCE_INVALID, IMAGE_NOT_FOUND, IMAGE_PLATFORM_MISSING, IMAGE_PULL_FAILED, REGISTRY_UNREACHABLE,
 *   REGISTRY_AUTH_FAILED, DOWNLOAD_CORRUPT, HOST_DISK_FULL, INVALID_ARGUMENT, CONFIG_VALUE_INVALID; the signal's reason when aborted
 */
export async function pullImage(text: string, options: PullOptions): Promise<PulledImage> {
  return withClient(text, options, (reference, client) => pull(reference, client, options));
}

/**
 * The digest of the manifest that {@link pullImage} would take now.
 *
 * @throws UserError, the same but for those of what is downloaded; the signal's reason when aborted
 */
export async function findManifestDigest(text: string, options: RegistryOptions): Promise<string> {
  const { architecture = hostArchitecture(), patience = PATIENCE, signal } = options;
  return withClient(text, options, async (reference, client) => {
    const { manifestDigest } = await resolveManifest(client, reference, { architecture, patience, signal });
    return manifestDigest;
  });
}

async function withClient<T>(
  text: string,
  options: RegistryOptions,
  work: (reference: ImageReference, client: RegistryClient) => Promise<T>,
): Promise<T> {
  const reference = parseReference(text);
  const { certificates = [], stallMs = STALL_MS, authFiles = [], proxy } = options;
  using transport = new HttpTransport({ certificates, stallMs, proxy });
  const client = new RegistryClient(reference, { ...options, transport, authFiles });
  try {
    return await work(reference, client);
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
  const layers = image.layers.map((layer, index) => toLayerFile(layer, cache, config.diffIds[index] ?? ''));
  const onBlob: OnBlob = async (digest, abortable) => {
    const here = layers.filter((layer) => layer.digest === digest);
    for (const layer of here) await options.onLayer?.(layer, abortable);
  };
  const isCheckedLater = options.onLayer !== undefined;
  await fetchLayers(image.layers, { ...source, isCheckedLater }, { report, onBlob });
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
  { report, onBlob }: { report: ProgressReporter | undefined; onBlob: OnBlob },
): Promise<void> {
  // Empty layers are alike, so one blob often stands for several.
  const blobs = [...new Map(layers.map((layer) => [layer.digest, layer])).values()];
  await assertRoom(blobs, options.cache);
  report?.detail(`downloading ${blobs.length === 1 ? '1 layer' : `${blobs.length} layers`}`);
  const progress = new PullProgress(blobs, report);
  await inParallel(blobs, { limit: PARALLEL_DOWNLOADS, signal: options.signal }, async (blob, { signal }) => {
    const onBytes = (bytes: number) => progress.set(blob.digest, bytes);
    await ensureBlob(blob, { ...options, signal, onBytes });
    await onBlob(blob.digest, { signal });
  });
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
  return {
    path: cache.blobPath(digest),
    mediaType,
    digest,
    diffId,
    headersPath: cache.headersPath(digest, diffId),
  };
}
