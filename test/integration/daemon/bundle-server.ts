import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** True: it has answered, or never will. */
type Script = (request: IncomingMessage, response: ServerResponse) => boolean;

/** A server on loopback with the files that a test gives it. */
export class BundleServer implements AsyncDisposable {
  readonly files = new Map<string, Buffer>();
  readonly ranges: (string | undefined)[] = [];
  /** What happens instead of an answer. */
  script: Script = () => false;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  static async start(): Promise<BundleServer> {
    const server = new BundleServer();
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  urlOf(name: string): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/${name}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const name = (request.url ?? '').slice(1);
    if (name.endsWith('.zst')) this.ranges.push(request.headers.range);
    if (this.script(request, response)) return;
    const bytes = this.files.get(name);
    if (!bytes) {
      response.writeHead(404).end();
      return;
    }
    const offset = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const range = { 'content-range': `bytes ${offset}-${bytes.length - 1}/${bytes.length}` };
    response
      .writeHead(offset > 0 ? 206 : 200, {
        'content-length': bytes.length - offset,
        ...(offset > 0 && range),
      })
      .end(bytes.subarray(offset));
  }
}
