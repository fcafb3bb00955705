import type { Abortable } from '#base/abort.ts';
import type { BlobSource } from '#oci/ensure-blob.ts';
import type { HttpResponse, HttpTransport } from '#oci/http-transport.ts';
import { sendFollowing } from '#oci/redirects.ts';
import { toStatusError } from '#oci/registry-failure.ts';

/** One file on a server, which may be read from the middle on. */
export class UrlSource implements BlobSource {
  readonly #transport: HttpTransport;
  readonly #url: URL;

  constructor(transport: HttpTransport, url: URL) {
    this.#transport = transport;
    this.#url = url;
  }

  /** @throws StatusError; ConnectionError; UserError */
  async openBlob(_digest: string, offset: number, options: Abortable): Promise<HttpResponse> {
    const headers: Record<string, string> = offset > 0 ? { range: `bytes=${offset}-` } : {};
    const response = await sendFollowing(this.#transport, { url: this.#url, headers }, options);
    if (response.status === 200 || response.status === 206) return response;
    throw await toStatusError(response, options.signal);
  }

  currentServer(): unknown {
    return this.#url.origin;
  }

  leaveServer(): boolean {
    return false; // there is no other
  }
}
