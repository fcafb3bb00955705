import type { Abortable } from '#base/abort.ts';
import type { Kernel } from '#contract/owner/kernel.ts';
import { API_PREFIX } from '#contract/version.ts';
import { readBody } from './response.ts';
import type { Transport } from './transport.ts';

/** Kernels that VMs boot. */
export class KernelsClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  async list(options: Abortable = {}): Promise<Kernel[]> {
    const response = await this.#transport.send({
      method: 'GET',
      path: `${API_PREFIX}/kernels`,
      signal: options.signal,
    });
    const { kernels } = await readBody(
      response,
      async () => (await import('#contract/owner/kernel.ts')).kernelListSchema,
    );
    return kernels;
  }
}
