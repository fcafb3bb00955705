import type { Abortable } from '#base/abort.ts';
import type { AvailableImage, Image } from '#contract/owner/image.ts';
import { API_PREFIX } from '#contract/version.ts';
import { readBody } from './response.ts';
import type { Transport } from './transport.ts';

export interface ImageList {
  /** On this machine. */
  images: Image[];
  /** Can be made by name; `pulled` says that it has been. */
  available: AvailableImage[];
}

/** Root disks that VMs begin from. */
export class ImagesClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  async list(options: Abortable = {}): Promise<ImageList> {
    const response = await this.#transport.send({
      method: 'GET',
      path: `${API_PREFIX}/images`,
      signal: options.signal,
    });
    return readBody(response, async () => (await import('#contract/owner/image.ts')).imageListSchema);
  }
}
