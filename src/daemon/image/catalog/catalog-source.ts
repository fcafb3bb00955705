import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import type { Abortable } from '#base/abort.ts';
import { messageOf, systemErrorCode } from '#base/errors.ts';
import { MiB } from '#base/sizes.ts';
import { isUserError } from '#contract/errors.ts';
import { ensurePrivateFolder, readFileIfThere, writeFileAtomic } from '#host/files.ts';
import { ConnectionError } from '#oci/connection-error.ts';
import { HttpTransport } from '#oci/http-transport.ts';
import { readBounded } from '#oci/read-bounded.ts';
import { sendFollowing } from '#oci/redirects.ts';
import type { Proxy } from '#oci/proxy.ts';
import { readCertificates } from '../read-certificates.ts';

const MAX_CATALOG_BYTES = MiB;
const TIMEOUT_MS = 10_000;

/** Why a catalog cannot be had at the moment. */
export class CatalogUnavailable extends Error {}

/** The text of a catalog that is a file. @throws CatalogUnavailable */
export async function readCatalogFile(path: string): Promise<string> {
  try {
    const found = await stat(path);
    if (!found.isFile()) throw new CatalogUnavailable('it is no file');
    if (found.size > MAX_CATALOG_BYTES) throw new CatalogUnavailable('it has more than 1 MiB');
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    throw new CatalogUnavailable(code === 'ENOENT' ? 'there is no such file' : messageOf(error));
  }
}

export interface RemoteCatalogOptions {
  url: string;
  /** For the last one that came, which counts while the server is away. */
  cacheFolder: string;
  /** Of authorities to trust besides those of the host. */
  certificateFiles: readonly string[];
  proxy?: Proxy | undefined;
}

/** A catalog that a server has. */
export class RemoteCatalog {
  readonly #options: RemoteCatalogOptions;
  readonly #copyPath: string;

  constructor(options: RemoteCatalogOptions) {
    this.#options = options;
    const key = createHash('sha256').update(options.url).digest('hex').slice(0, 32);
    this.#copyPath = `${options.cacheFolder}/${key}.json`;
  }

  /** What came last; undefined when nothing ever did. */
  lastCopy(): Promise<string | undefined> {
    return readFileIfThere(this.#copyPath);
  }

  /** @throws CatalogUnavailable; the signal's reason */
  async fetch({ signal }: Abortable): Promise<string> {
    const { url, certificateFiles, proxy } = this.#options;
    try {
      const certificates = await readCertificates(certificateFiles);
      using transport = new HttpTransport({ certificates, proxy, stallMs: TIMEOUT_MS });
      const response = await sendFollowing(transport, { url: new URL(url), headers: {} }, { signal });
      const bytes = await readBounded(response, {
        maxBytes: MAX_CATALOG_BYTES,
        timeoutMs: TIMEOUT_MS,
        signal,
      });
      if (response.status !== 200) throw new CatalogUnavailable(`the server answers ${response.status}`);
      if (!bytes) throw new CatalogUnavailable('it has more than 1 MiB');
      return bytes.toString('utf8');
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof ConnectionError || isUserError(error)) throw new CatalogUnavailable(error.message);
      throw error;
    }
  }

  async keep(text: string): Promise<void> {
    await ensurePrivateFolder(this.#options.cacheFolder);
    await writeFileAtomic(this.#copyPath, text);
  }
}
