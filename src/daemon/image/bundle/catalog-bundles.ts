import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Abortable } from '#base/abort.ts';
import { systemErrorCode } from '#base/errors.ts';
import { UserError } from '#contract/errors.ts';
import type { PrunedCache } from '#contract/owner/image.ts';
import { BlobCache } from '#oci/blob-cache.ts';
import { digestOfFile } from '#oci/digest.ts';
import type { Patience } from '#oci/with-retries.ts';
import type { Proxy } from '#oci/proxy.ts';
import type { BundlePuller, UnpackedBundle } from '../builders.ts';
import type { BundleEntry } from '../catalog/entry.ts';
import { readCertificates } from '../read-certificates.ts';
import type { WorkContext } from '../shared-work.ts';
import { downloadBundle } from './download-bundle.ts';
import { unpackBundle } from './unpack-bundle.ts';

export interface CatalogBundlesOptions {
  /** For downloads; made when it is missing. */
  cacheFolder: string;
  certificateFiles?: readonly string[] | undefined;
  proxy?: Proxy | undefined;
  patience?: Patience | undefined;
}

/** Makes images of the bundles that catalogs name: from servers, and from files beside a catalog that is a file. */
export class CatalogBundles implements BundlePuller {
  readonly #options: CatalogBundlesOptions;
  readonly #cache: BlobCache;

  constructor(options: CatalogBundlesOptions) {
    this.#options = options;
    this.#cache = new BlobCache(options.cacheFolder);
  }

  /** Nothing of it is unpacked before its size and its sha256 are those that the catalog promises. */
  async pull(entry: BundleEntry, folder: string, { signal, report }: WorkContext): Promise<UnpackedBundle> {
    const digest = `sha256:${entry.sha256}`;
    using _ = this.#cache.hold([digest]);
    const path = await this.#fetch(entry, { signal, report });
    report.stage('unpack-bundle');
    const manifest = await unpackBundle({ path, name: entry.name }, folder, { signal, report });
    return { manifest, digest };
  }

  async prune({ dryRun }: { dryRun: boolean }): Promise<PrunedCache> {
    const { count, freedBytes } = await this.#cache.prune({ dryRun });
    return { files: count, bytes: freedBytes };
  }

  async #fetch(entry: BundleEntry, context: WorkContext): Promise<string> {
    if (entry.url.protocol === 'file:') return findLocal(entry, context);
    const { certificateFiles = [], patience, proxy } = this.#options;
    const certificates = await readCertificates(certificateFiles);
    return downloadBundle(entry, { cache: this.#cache, certificates, proxy, patience, ...context });
  }
}

async function findLocal(entry: BundleEntry, options: Abortable): Promise<string> {
  const path = fileURLToPath(entry.url);
  const size = await sizeOfFile(path, entry);
  if (size !== entry.bytes) throw differs(entry, `it has ${size} bytes instead of ${entry.bytes}`);
  const digest = await digestOfFile(path, options);
  if (digest !== `sha256:${entry.sha256}`) throw differs(entry, `its digest is ${digest}`);
  return path;
}

async function sizeOfFile(path: string, { name }: BundleEntry): Promise<number> {
  try {
    const found = await stat(path);
    if (found.isFile()) return found.size;
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR', 'EACCES'].includes(systemErrorCode(error) ?? '')) throw error;
  }
  throw new UserError('DOWNLOAD_FAILED', `Cannot read the bundle "${name}": there is no file "${path}"`, {
    hint: 'the catalog names it; put it there',
  });
}

function differs({ name, url, catalog }: BundleEntry, condition: string): UserError {
  return new UserError('DOWNLOAD_CORRUPT', `Cannot use the bundle "${name}": ${condition}`, {
    hint: `what is at "${url.href}" is not what the catalog "${catalog}" promises`,
  });
}
