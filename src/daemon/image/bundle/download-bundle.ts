import { dirname } from 'node:path';
import type { Abortable } from '#base/abort.ts';
import type { ProgressReporter } from '#base/progress.ts';
import { formatSize } from '#base/sizes.ts';
import { UserError } from '#contract/errors.ts';
import { explainToolFailure } from '#ext4/tool-failure.ts';
import { freeSpaceBytes } from '#host/capabilities.ts';
import type { BlobCache } from '#oci/blob-cache.ts';
import { ConnectionError } from '#oci/connection-error.ts';
import type { Descriptor } from '#oci/descriptor.ts';
import { ensureBlob } from '#oci/ensure-blob.ts';
import { HttpTransport } from '#oci/http-transport.ts';
import { PullProgress } from '#oci/pull-progress.ts';
import { StatusError } from '#oci/registry-failure.ts';
import { PATIENCE, type Patience } from '#oci/with-retries.ts';
import type { Proxy } from '#oci/proxy.ts';
import type { BundleEntry } from '../catalog/entry.ts';
import { UrlSource } from './url-source.ts';

const STALL_MS = 30_000;

export interface DownloadOptions extends Abortable {
  cache: BlobCache;
  /** Of authorities to trust besides those of the host, in PEM. */
  certificates: readonly string[];
  proxy?: Proxy | undefined;
  patience?: Patience | undefined;
  report: ProgressReporter;
}

/**
 * The path of a bundle in the cache, whose size and sha256 are those of its entry. What arrived before a failure is gone on with.
 *
 * @throws UserError `DOWNLOAD_FAILED`, `DOWNLOAD_CORRUPT`, `HOST_DISK_FULL`; the signal's reason
 */
export async function downloadBundle(entry: BundleEntry, options: DownloadOptions): Promise<string> {
  const { cache, certificates, proxy, patience = PATIENCE, report, signal } = options;
  const blob = { mediaType: 'application/zstd', digest: `sha256:${entry.sha256}`, size: entry.bytes };
  await cache.ensureFolders();
  await assertRoom(blob, cache);
  report.detail(`downloading from ${entry.url.host}`);
  using transport = new HttpTransport({ certificates, proxy, stallMs: STALL_MS });
  const progress = new PullProgress([blob], report);
  try {
    const source = new UrlSource(transport, entry.url);
    const onBytes = (bytes: number) => progress.set(blob.digest, bytes);
    return await ensureBlob(blob, { cache, source, patience, signal, onBytes });
  } catch (error) {
    signal?.throwIfAborted();
    throw toFailure(error, entry);
  }
}

async function assertRoom({ digest, size }: Descriptor, cache: BlobCache): Promise<void> {
  const missing = Math.max(0, size - (await cache.countBytes(digest)));
  const free = await freeSpaceBytes(dirname(cache.blobPath(digest)));
  if (missing <= free) return;
  throw new UserError(
    'HOST_DISK_FULL',
    `Cannot download the bundle: it has ${formatSize(missing)}, and ${formatSize(free)} are free`,
    { hint: 'banger image cache prune' },
  );
}

function toFailure(error: unknown, { name, url }: BundleEntry): unknown {
  const action = `download the bundle "${name}"`;
  if (error instanceof ConnectionError || error instanceof StatusError) {
    const isGone = error instanceof StatusError && error.status < 500 && error.status !== 429;
    const later = 'run the command again later; it goes on where this one ended';
    const hint = isGone ? 'the catalog names a file that its server does not give' : later;
    const details = { url: url.href, catalogEntry: name };
    return new UserError('DOWNLOAD_FAILED', `Cannot ${action}: ${error.message}`, {
      hint,
      details,
      cause: error,
    });
  }
  return explainToolFailure(error, { action, code: 'DOWNLOAD_FAILED', hint: 'see the details' });
}
