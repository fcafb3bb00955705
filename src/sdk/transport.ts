import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { Abortable } from '#base/abort.ts';
import { messageOf, systemErrorCode } from '#base/errors.ts';
import { UserError } from '#contract/errors.ts';
import type { ApiRequest } from './api-request.ts';
import { Exchanger } from './exchange.ts';
import { refuseError } from './response.ts';
import { upgrade, type UpgradedConnection, type UpgradeRequest } from './upgrade.ts';

export interface TransportOptions {
  socketPath: string;
  /** Called when nobody listens on the socket; resolves when the daemon does. */
  startDaemon?: ((options: Abortable) => Promise<void>) | undefined;
}

/** HTTP/1.1 over the daemon's Unix socket. */
export class Transport {
  readonly #socketPath: string;
  readonly #startDaemon: TransportOptions['startDaemon'];
  #exchanger: Exchanger | undefined;
  #starting: Promise<void> | undefined;

  constructor({ socketPath, startDaemon }: TransportOptions) {
    this.#socketPath = socketPath;
    this.#startDaemon = startDaemon;
  }

  /** Checks that the daemon accepts connections, and starts it when it does not. */
  async ensureReachable(options: Abortable): Promise<void> {
    await this.#withDaemon(options, () => probe(this.#socketPath, options));
  }

  /** @throws UserError what the daemon answered, `DAEMON_UNREACHABLE`, `DAEMON_VERSION_MISMATCH`; the signal's reason */
  async send(request: ApiRequest): Promise<IncomingMessage> {
    const exchanger = (this.#exchanger ??= new Exchanger(this.#socketPath));
    const response = await this.#withDaemon(request, () => exchanger.exchange(request));
    await refuseError(response, request);
    return response;
  }

  /** Switches a connection to another protocol. Throws as {@link send} does. */
  async upgrade(request: Omit<UpgradeRequest, 'socketPath'>): Promise<UpgradedConnection> {
    return this.#withDaemon(request, () => upgrade({ ...request, socketPath: this.#socketPath }));
  }

  close(): void {
    this.#exchanger?.close();
  }

  async #withDaemon<T>({ signal }: Abortable, attempt: () => Promise<T>): Promise<T> {
    signal?.throwIfAborted();
    try {
      return await attempt().catch(async (error: unknown) => {
        signal?.throwIfAborted();
        if (!isRefused(error) || !this.#startDaemon) throw error;
        await this.#startOnce(this.#startDaemon, { signal });
        return attempt();
      });
    } catch (error) {
      signal?.throwIfAborted();
      throw this.#explain(error);
    }
  }

  /** Requests that find no daemon at the same time start one together. */
  async #startOnce(startDaemon: (options: Abortable) => Promise<void>, options: Abortable): Promise<void> {
    this.#starting ??= startDaemon(options).finally(() => {
      this.#starting = undefined;
    });
    await this.#starting;
  }

  #explain(error: unknown): unknown {
    const systemCode = systemErrorCode(error);
    if (systemCode === undefined || error instanceof UserError) return error;
    const why = isRefused(error) ? 'it is not running' : messageOf(error);
    return new UserError('DAEMON_UNREACHABLE', `Cannot reach the daemon at "${this.#socketPath}": ${why}`, {
      hint: 'banger daemon status',
      details: { socketPath: this.#socketPath, systemCode },
      cause: error,
    });
  }
}

/** Opens a connection and closes it: rejects with the system error when nobody accepts it. */
function probe(socketPath: string, { signal }: Abortable): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path: socketPath, ...(signal ? { signal } : {}) });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
  });
}

/** Nobody listens on the socket. */
function isRefused(error: unknown): boolean {
  return ['ECONNREFUSED', 'ENOENT'].includes(systemErrorCode(error) ?? '');
}
