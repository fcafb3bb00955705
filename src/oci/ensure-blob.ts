import { rm } from 'node:fs/promises';
import type { Abortable } from '#base/abort.ts';
import { isUserError, UserError } from '#contract/errors.ts';
import type { BlobCache } from './blob-cache.ts';
import { readBody } from './connection-error.ts';
import type { Descriptor } from './descriptor.ts';
import type { HttpResponse } from './http-transport.ts';
import { PartialBlob } from './partial-blob.ts';
import { StatusError } from './registry-failure.ts';
import { withRetries, type Patience } from './with-retries.ts';

/** Where blobs come from. */
export interface BlobSource {
  openBlob(digest: string, offset: number, options: Abortable): Promise<HttpResponse>;
  /** Who answers at the moment; only good for `leaveServer`. */
  currentServer(): unknown;
  /** Goes on to the server behind this one, unless that was done already; false when there is none. */
  leaveServer(server: unknown): boolean;
}

export interface BlobOptions extends Abortable {
  cache: BlobCache;
  source: BlobSource;
  patience: Patience;
  /** Whoever reads the blob checks it: one that is in the cache is not hashed now. */
  isCheckedLater?: boolean;
  /** Told how much of the blob is here. */
  onBytes: (bytes: number) => void;
}

const RANGE_NOT_SATISFIABLE = 416;

/**
 * The path of a blob with this digest and size, downloaded unless it is in the cache. What arrived before a failure or a
 * cancellation stays, and is gone on with.
 *
 * @throws UserError DOWNLOAD_CORRUPT; StatusError; ConnectionError; the signal's reason
 */
export function ensureBlob(blob: Descriptor, options: BlobOptions): Promise<string> {
  const { cache, onBytes } = options;
  return cache.alone(blob.digest, options, async () => {
    const isHere = options.isCheckedLater ? cache.hasWhole(blob) : cache.hasIntact(blob, options);
    if (!(await isHere)) await download(blob, options);
    onBytes(blob.size);
    return cache.blobPath(blob.digest);
  });
}

async function download(blob: Descriptor, options: BlobOptions): Promise<void> {
  const { cache } = options;
  const path = cache.partialPath(blob.digest);
  {
    await using partial = await PartialBlob.open(path, options);
    try {
      await downloadIntact(blob, partial, options);
    } catch (error) {
      if (isUserError(error, 'DOWNLOAD_CORRUPT')) await rm(path, { force: true });
      throw error;
    }
  }
  await cache.publish(blob.digest);
}

/** Wrong content is given one more chance where it may not be the registry's fault: an old partial file, a mirror. */
async function downloadIntact(blob: Descriptor, partial: PartialBlob, options: BlobOptions): Promise<void> {
  let isResumed = partial.bytes > 0;
  for (;;) {
    const server = options.source.currentServer();
    try {
      await withRetries(() => fetchRest(blob, partial, options), options);
      return assertIntact(blob, await partial.finish());
    } catch (error) {
      if (!isUserError(error, 'DOWNLOAD_CORRUPT')) throw error;
      if (!isResumed && !options.source.leaveServer(server)) throw error;
      isResumed = false;
      await partial.restart();
    }
  }
}

async function fetchRest(blob: Descriptor, partial: PartialBlob, options: BlobOptions): Promise<void> {
  if (partial.bytes > blob.size) await partial.restart();
  if (partial.bytes === blob.size) return;
  const response = await openAtEnd(blob, partial, options);
  try {
    options.onBytes(partial.bytes);
    for await (const chunk of readBody(response.body, response.url.host)) {
      if (partial.bytes + chunk.length > blob.size)
        throw corrupt(blob, `it has more than ${blob.size} bytes`);
      await partial.append(chunk);
      options.onBytes(partial.bytes);
    }
  } finally {
    response.body.destroy();
  }
  if (partial.bytes < blob.size) {
    throw corrupt(blob, `it has ${partial.bytes} bytes instead of ${blob.size}`);
  }
}

/** What follows on the bytes that are here; all of it where the server cannot, or will not, begin in the middle. */
async function openAtEnd(
  { digest }: Descriptor,
  partial: PartialBlob,
  { source, signal }: BlobOptions,
): Promise<HttpResponse> {
  if (partial.bytes > 0) {
    const response = await openRange(digest, partial.bytes, { source, signal });
    if (response && continuesAt(response, partial.bytes)) return response;
    await partial.restart();
    if (response?.status === 200) return response;
    response?.body.destroy();
  }
  return source.openBlob(digest, 0, { signal });
}

async function openRange(
  digest: string,
  offset: number,
  { source, signal }: Pick<BlobOptions, 'source' | 'signal'>,
): Promise<HttpResponse | undefined> {
  try {
    return await source.openBlob(digest, offset, { signal });
  } catch (error) {
    if (error instanceof StatusError && error.status === RANGE_NOT_SATISFIABLE) return undefined;
    throw error;
  }
}

function continuesAt({ status, headers }: HttpResponse, offset: number): boolean {
  return status === 206 && (headers['content-range'] ?? '').startsWith(`bytes ${offset}-`);
}

function assertIntact(blob: Descriptor, digest: string): void {
  if (digest !== blob.digest) throw corrupt(blob, `its digest is ${digest}`);
}

function corrupt({ digest }: Descriptor, condition: string): UserError {
  return new UserError('DOWNLOAD_CORRUPT', `Cannot use the download of ${digest}: ${condition}`, {
    hint: 'Run the command again; when it stays, the registry or a proxy before it is damaged',
  });
}
