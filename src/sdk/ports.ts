import type { Abortable } from '#base/abort.ts';
import type {
  PublishedPortState,
  PublishPortRequest,
  UnpublishPortQuery,
  VmPorts,
} from '#contract/owner/port.ts';
import { API_PREFIX } from '#contract/version.ts';
import type { ApiRequest } from './api-request.ts';
import { readBody } from './response.ts';
import type { Transport } from './transport.ts';

export interface UnpublishPortOptions extends UnpublishPortQuery, Abortable {}

/**
 * How programs of the host reach those in a guest: at the VM's own address on the loopback, by themselves, and where a port was
 * published. Each method throws `VM_NOT_FOUND` and `VM_REFERENCE_AMBIGUOUS`.
 */
export class PortsClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** What listens in the guest, with a guess at what speaks HTTP, and what is published. @throws UserError `GUEST_NOT_ANSWERING` */
  async list(reference: string, options: Abortable = {}): Promise<VmPorts> {
    const path = portsPath(reference);
    const response = await this.#transport.send({ method: 'GET', path, signal: options.signal });
    return readBody(response, async () => (await import('#contract/owner/port.ts')).vmPortsSchema);
  }

  /**
   * Lets a fixed port of the host lead to one of the guest, now if the VM runs and whenever it does, until {@link unpublish}.
   *
   * @throws UserError `PORT_TAKEN`, `PORT_NOT_ALLOWED`, `INVALID_ARGUMENT`
   */
  async publish(
    reference: string,
    request: PublishPortRequest,
    options: Abortable = {},
  ): Promise<PublishedPortState[]> {
    return this.#change({
      method: 'POST',
      path: portsPath(reference),
      body: request,
      signal: options.signal,
    });
  }

  /** Gives the port of the host up; answers with what was published. @throws UserError `PORT_NOT_PUBLISHED` */
  async unpublish(
    reference: string,
    hostPort: number,
    { hostAddress, protocol, signal }: UnpublishPortOptions = {},
  ): Promise<PublishedPortState[]> {
    const parameters = new URLSearchParams({
      ...(hostAddress !== undefined && { hostAddress }),
      ...(protocol && { protocol }),
    });
    const path = `${portsPath(reference)}/${hostPort}${parameters.size === 0 ? '' : `?${parameters.toString()}`}`;
    return this.#change({ method: 'DELETE', path, signal });
  }

  async #change(request: ApiRequest): Promise<PublishedPortState[]> {
    const response = await this.#transport.send(request);
    const load = async () => (await import('#contract/owner/port.ts')).publishedPortListSchema;
    return (await readBody(response, load)).published;
  }
}

function portsPath(reference: string): string {
  return `${API_PREFIX}/vms/${encodeURIComponent(reference)}/ports`;
}
