import type { Abortable } from '#base/abort.ts';
import { UserError } from '#contract/errors.ts';
import type { Operation, OperationResult } from '#contract/owner/operation.ts';
import { API_PREFIX } from '#contract/version.ts';
import type { ApiRequest } from './api-request.ts';
import { isFinal, OperationHandle, type OperationOptions, type OperationSource } from './operation-handle.ts';
import { readBody } from './response.ts';
import type { Transport } from './transport.ts';

/** What takes long: running now, or finished a while ago. */
export class OperationsClient implements OperationSource {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  async list(options: Abortable = {}): Promise<Operation[]> {
    const response = await this.#transport.send({
      method: 'GET',
      path: `${API_PREFIX}/operations`,
      signal: options.signal,
    });
    const load = async () => (await import('#contract/owner/operation.ts')).operationListSchema;
    return (await readBody(response, load)).operations;
  }

  /** @throws UserError `OPERATION_NOT_FOUND`, also some time after it has finished and when the daemon was restarted */
  async get(id: string, options: Abortable = {}): Promise<Operation> {
    return this.#send({ method: 'GET', path: operationPath(id), signal: options.signal });
  }

  /** Asks it to stop; resolves when it has rolled back, with its last snapshot. Does nothing when it has ended. */
  async cancel(id: string, options: Abortable = {}): Promise<Operation> {
    return this.#send({ method: 'POST', path: `${operationPath(id)}/cancel`, signal: options.signal });
  }

  /**
   * The operation as it is now, then each change, until its last snapshot. A slow reader gets the newest, not every one.
   * Leaving or aborting does not cancel the operation.
   *
   * @throws UserError `OPERATION_NOT_FOUND`; `DAEMON_UNREACHABLE` when the daemon goes away before the end
   */
  async *watch(id: string, options: Abortable = {}): AsyncGenerator<Operation, void, undefined> {
    const path = `${operationPath(id)}/events`;
    const response = await this.#transport.send({ method: 'GET', path, signal: options.signal });
    const { readOperationEvents } = await import('./operation-events.ts');
    try {
      for await (const operation of readOperationEvents(response)) {
        yield operation;
        if (isFinal(operation)) return;
      }
    } catch (error) {
      options.signal?.throwIfAborted();
      throw connectionLost(id, error);
    } finally {
      response.destroy();
    }
    options.signal?.throwIfAborted();
    throw connectionLost(id, undefined);
  }

  /** @internal Sends a request that is answered with an operation. */
  async begin<T>(
    request: ApiRequest,
    options: OperationOptions,
    toResult: (result: OperationResult) => T,
  ): Promise<OperationHandle<T>> {
    const first = await this.#send(request);
    return new OperationHandle({ options, source: this, first, toResult });
  }

  async #send(request: ApiRequest): Promise<Operation> {
    const response = await this.#transport.send(request);
    return readBody(response, async () => (await import('#contract/owner/operation.ts')).operationSchema);
  }
}

function operationPath(id: string): string {
  return `${API_PREFIX}/operations/${encodeURIComponent(id)}`;
}

function connectionLost(id: string, cause: unknown): UserError {
  return new UserError(
    'DAEMON_UNREACHABLE',
    `Cannot follow operation "${id}": the daemon closed the connection`,
    {
      hint: 'see what became of it: banger vm list',
      details: { operationId: id },
      cause,
    },
  );
}
