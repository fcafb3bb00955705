import type { Abortable } from '#base/abort.ts';
import { UserError } from '#contract/errors.ts';
import { digestOf } from './digest.ts';
import type { BlobSource } from './ensure-blob.ts';
import type { HttpResponse, HttpTransport } from './http-transport.ts';
import { findCredentials } from './find-credentials.ts';
import { MAX_MANIFEST_BYTES } from './manifest.ts';
import { ACCEPTED_MANIFESTS } from './media-types.ts';
import { readBounded } from './read-bounded.ts';
import type { ImageReference } from './reference.ts';
import { RegistryEndpoint } from './registry-endpoint.ts';
import { serversOf, type ServerOptions } from './registry-servers.ts';

const MANIFEST_TIMEOUT_MS = 60_000;

export interface ClientOptions extends ServerOptions {
  transport: HttpTransport;
  authFiles: readonly string[];
}

export interface FetchedManifest {
  bytes: Buffer;
  digest: string;
  contentType: string;
}

/** Reads one repository, from its mirrors as long as they are any good, else from its registry. */
export class RegistryClient implements BlobSource {
  readonly #endpoints: RegistryEndpoint[];

  constructor(reference: ImageReference, { transport, authFiles, ...options }: ClientOptions) {
    this.#endpoints = serversOf(reference, options).map(
      ({ url, repository, registry }) =>
        new RegistryEndpoint({
          transport,
          server: url,
          repository,
          findCredentials: (abortable) => findCredentials({ registry, repository }, authFiles, abortable),
        }),
    );
  }

  /**
   * A manifest by tag or digest; what comes for a digest has it.
   *
   * @throws UserError DOWNLOAD_CORRUPT, IMAGE_PULL_FAILED; StatusError; ConnectionError
   */
  getManifest(tagOrDigest: string, options: Abortable = {}): Promise<FetchedManifest> {
    return this.#onFirst(options, async (endpoint) => {
      const response = await endpoint.get(
        `manifests/${tagOrDigest}`,
        { accept: ACCEPTED_MANIFESTS },
        options,
      );
      const bounds = { maxBytes: MAX_MANIFEST_BYTES, timeoutMs: MANIFEST_TIMEOUT_MS, ...options };
      const bytes = await readBounded(response, bounds);
      if (!bytes) {
        throw new UserError(
          'IMAGE_PULL_FAILED',
          `Cannot use the manifest: it has more than ${MAX_MANIFEST_BYTES} bytes`,
        );
      }
      const digest = digestOf(bytes);
      assertPromised(digest, tagOrDigest);
      return {
        bytes,
        digest,
        contentType: (response.headers['content-type'] ?? '').replace(/;.*/s, '').trim(),
      };
    });
  }

  /** A blob from `offset` on; status 206 says that the server kept to it, 200 that it begins at 0. */
  openBlob(digest: string, offset: number, options: Abortable = {}): Promise<HttpResponse> {
    const range: Record<string, string> = offset > 0 ? { range: `bytes=${offset}-` } : {};
    return this.#onFirst(options, (endpoint) => endpoint.get(`blobs/${digest}`, range, options));
  }

  currentServer(): unknown {
    return this.#endpoints[0];
  }

  /** Two downloads may find the same mirror bad at the same time. */
  leaveServer(server: unknown): boolean {
    if (this.#endpoints[0] !== server) return true;
    if (this.#endpoints.length === 1) return false;
    this.#endpoints.shift();
    return true;
  }

  /** A mirror that fails in whatever way is left for the rest of the pull; the registry's failure is the one that counts. */
  async #onFirst<T>({ signal }: Abortable, ask: (endpoint: RegistryEndpoint) => Promise<T>): Promise<T> {
    for (;;) {
      const [endpoint] = this.#endpoints;
      if (!endpoint) throw new Error('a registry client without a server');
      try {
        return await ask(endpoint);
      } catch (error) {
        signal?.throwIfAborted();
        if (!this.leaveServer(endpoint)) throw error;
      }
    }
  }
}

function assertPromised(digest: string, tagOrDigest: string): void {
  if (!tagOrDigest.includes(':') || tagOrDigest === digest) return;
  throw new UserError(
    'DOWNLOAD_CORRUPT',
    `Cannot use the manifest: its digest is ${digest}, not ${tagOrDigest}`,
  );
}
