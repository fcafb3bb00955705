import type { Abortable } from '#base/abort.ts';
import type {
  AvailableKernel,
  ImportKernelRequest,
  Kernel,
  KernelDetails,
  PullKernelRequest,
} from '#contract/owner/kernel.ts';
import type { OperationResult } from '#contract/owner/operation.ts';
import { API_PREFIX } from '#contract/version.ts';
import type { OperationHandle, OperationOptions } from './operation-handle.ts';
import type { OperationsClient } from './operations.ts';
import { readBody } from './response.ts';
import type { Transport } from './transport.ts';

export interface PullKernelOptions extends OperationOptions, Omit<PullKernelRequest, 'name'> {}

/**
 * Kernels that VMs boot. A reference is an id, a name, an entry of the catalog (the newest that it brought), or a prefix of
 * id or name; each method that takes one throws `KERNEL_NOT_FOUND`.
 */
export class KernelsClient {
  readonly #transport: Transport;
  readonly #operations: OperationsClient;

  constructor(transport: Transport, operations: OperationsClient) {
    this.#transport = transport;
    this.#operations = operations;
  }

  /** Those on this machine, newest first. */
  async list(options: Abortable = {}): Promise<Kernel[]> {
    return (await this.#readList(options)).kernels;
  }

  /** The catalog: those that can be pulled by name; `pulled` says that one has been. */
  async listAvailable(options: Abortable = {}): Promise<AvailableKernel[]> {
    return (await this.#readList(options)).available;
  }

  async get(reference: string, options: Abortable = {}): Promise<KernelDetails> {
    const path = kernelPath(reference);
    const response = await this.#transport.send({ method: 'GET', path, signal: options.signal });
    return readBody(response, async () => (await import('#contract/owner/kernel.ts')).kernelDetailsSchema);
  }

  /**
   * Fetches a kernel of the catalog; one that is here is the answer unless `force` is given.
   *
   * @throws UserError `KERNEL_NOT_FOUND`; its operation: `KERNEL_FETCH_FAILED`, `HOST_TOOL_MISSING`, `HOST_DISK_FULL`
   */
  async pull(name: string, options: PullKernelOptions = {}): Promise<OperationHandle<Kernel>> {
    const { signal, cancelOnAbort: _, ...rest } = options;
    const body: PullKernelRequest = { name, ...rest };
    const path = `${API_PREFIX}/kernels/pull`;
    return this.#operations.begin({ method: 'POST', path, body, signal }, options, requireKernel);
  }

  /**
   * Makes a kernel of files on the daemon's machine; paths are absolute.
   *
   * @throws UserError `INVALID_NAME`, `KERNEL_NAME_TAKEN`; its operation: `KERNEL_INVALID`, `HOST_TOOL_MISSING`, `HOST_DISK_FULL`
   */
  async import(
    request: ImportKernelRequest,
    options: OperationOptions = {},
  ): Promise<OperationHandle<Kernel>> {
    const { signal } = options;
    const path = `${API_PREFIX}/kernels/import`;
    return this.#operations.begin({ method: 'POST', path, body: request, signal }, options, requireKernel);
  }

  /** New VMs boot it from now on. */
  async setDefault(reference: string, options: Abortable = {}): Promise<Kernel> {
    const path = `${kernelPath(reference)}/default`;
    const response = await this.#transport.send({ method: 'POST', path, signal: options.signal });
    return readBody(response, async () => (await import('#contract/owner/kernel.ts')).kernelSchema);
  }

  /** Answers with what it was. @throws UserError `KERNEL_IN_USE` while a VM or an image has it */
  async delete(reference: string, options: Abortable = {}): Promise<Kernel> {
    const path = kernelPath(reference);
    const response = await this.#transport.send({ method: 'DELETE', path, signal: options.signal });
    return readBody(response, async () => (await import('#contract/owner/kernel.ts')).kernelSchema);
  }

  async #readList({ signal }: Abortable): Promise<{ kernels: Kernel[]; available: AvailableKernel[] }> {
    const response = await this.#transport.send({ method: 'GET', path: `${API_PREFIX}/kernels`, signal });
    return readBody(response, async () => (await import('#contract/owner/kernel.ts')).kernelListSchema);
  }
}

function kernelPath(reference: string): string {
  return `${API_PREFIX}/kernels/${encodeURIComponent(reference)}`;
}

function requireKernel({ kernel }: OperationResult): Kernel {
  if (kernel) return kernel;
  throw new Error('the operation ended without a kernel');
}
