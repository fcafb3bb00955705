import type { RequestListener, Server } from 'node:http';
import type { Logger } from '#base/log.ts';
import { UserError } from '#contract/errors.ts';
import { createApi } from './api.ts';
import type { Api } from './api-types.ts';
import { ExecUpgrades } from './exec-upgrade.ts';
import { listenPrivately } from './private-socket.ts';
import type { Services } from './services.ts';

// An import of node:http would load undici for its WebSocket export: 16 MiB.
const { createServer } = process.getBuiltinModule('node:http');

export interface HttpServerOptions {
  services: Services;
  log: Logger;
}

/** How long what runs for clients may take to end by itself when the server closes. */
const CLOSE_GRACE_MS = 2000;
const CLOSE_IDLE_EVERY_MS = 20;
/** A client that sends half a request is dropped after this. */
const REQUEST_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_MS = 60_000;

/** The daemon's HTTP API on its Unix socket. */
export class HttpServer {
  readonly #log: Logger;
  readonly #services: Services;
  readonly #closing = new AbortController();
  readonly #server: Server;
  readonly #upgrades: ExecUpgrades;
  #listener: RequestListener = () => {};
  #api: Api | undefined;

  constructor({ services, log }: HttpServerOptions) {
    this.#services = services;
    this.#log = log;
    this.#server = createServer(
      { requestTimeout: REQUEST_TIMEOUT_MS, keepAliveTimeout: KEEP_ALIVE_MS },
      (request, response) => this.#listener(request, response),
    );
    this.#upgrades = new ExecUpgrades({
      vms: services.vms,
      activity: services.activity,
      closing: this.#closing.signal,
      log,
    });
    this.#server.on('upgrade', (request, socket, head) => void this.#upgrades.accept(request, socket, head));
  }

  /**
   * Begins to serve. A socket file that is in the way must have been removed: only who holds the instance lock knows that it is stale.
   *
   * @throws UserError `STATE_FOLDER_UNUSABLE`
   */
  async listen(socketPath: string): Promise<void> {
    this.#api = await createApi({
      services: this.#services,
      log: this.#log,
      closing: this.#closing.signal,
      // Loaded when somebody asks: a daemon seldom needs it.
      openApi: async () => (await import('./openapi.ts')).generateOpenApi(),
      createServer: (listener) => {
        this.#listener = listener;
        return this.#server;
      },
    });
    await listenPrivately(this.#server, socketPath);
    this.#log.info({ socketPath }, 'serving');
  }

  /** Takes no more requests, ends streams, cuts exec sessions, and waits a bounded time for the answers that are due. Idempotent. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    const reason = new UserError('DAEMON_STOPPING', 'Cannot go on: the daemon is stopping', {
      hint: 'try again: the next command starts the daemon',
    });
    this.#closing.abort(reason);
    this.#upgrades.cutAll();
    // A connection becomes idle when its last answer is out, and would be kept alive.
    const idle = setInterval(() => this.#server.closeIdleConnections(), CLOSE_IDLE_EVERY_MS);
    const late = setTimeout(() => this.#server.closeAllConnections(), CLOSE_GRACE_MS);
    await closed;
    clearInterval(idle);
    clearTimeout(late);
    await this.#api?.close();
  }
}
