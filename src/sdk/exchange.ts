import type * as Http from 'node:http';
import { systemErrorCode } from '#base/errors.ts';
import { BUILD_HEADER, buildLabel } from '#contract/version.ts';
import type { ApiRequest } from './api-request.ts';

/** Requests over kept connections. */
export class Exchanger {
  readonly #socketPath: string;
  readonly #http: typeof Http;
  readonly #agent: Http.Agent;

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
    // An import would evaluate its WebSocket export, which loads undici: 30 ms and 16 MiB. And what only runs a command needs none of it.
    this.#http = process.getBuiltinModule('node:http');
    this.#agent = new this.#http.Agent({ keepAlive: true, maxFreeSockets: 4 });
  }

  /** Resolves when the head of the answer is there. Rejects with a system error when it does not get so far. */
  exchange(request: ApiRequest): Promise<Http.IncomingMessage> {
    const { method, path, signal } = request;
    const body = request.body === undefined ? undefined : JSON.stringify(request.body);
    return new Promise((resolve, reject) => {
      const client = this.#http.request({
        socketPath: this.#socketPath,
        method,
        path,
        headers: { [BUILD_HEADER]: buildLabel(), ...(body === undefined ? {} : bodyHeaders(body)) },
        // Only what may be sent twice uses a kept connection, which the daemon may close at the moment it is used.
        agent: method === 'GET' ? this.#agent : false,
        ...(signal ? { signal } : {}),
      });
      client.on('response', resolve);
      client.on('error', (error) => {
        if (client.reusedSocket && systemErrorCode(error) === 'ECONNRESET') resolve(this.exchange(request));
        else reject(error);
      });
      client.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

function bodyHeaders(body: string): Record<string, string | number> {
  return { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
}
