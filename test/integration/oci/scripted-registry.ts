import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { INDEX_TYPE, MANIFEST_TYPE, type TinyImage } from './tiny-image.ts';

export interface Asked {
  path: string;
  /** Undefined: none was sent. */
  authorization: string | undefined;
  range: string | undefined;
}

/** True: it has answered, or never will. */
type Script = (request: IncomingMessage, response: ServerResponse) => boolean | void;

/** A registry that holds what a test gives it, and misbehaves as its script says. */
export class ScriptedRegistry {
  readonly asked: Asked[] = [];
  readonly blobs = new Map<string, Buffer>();
  script: Script = () => false;
  host = '';
  readonly #server = createServer((request, response) => this.#answer(request, response));

  static async start(t: TestContext, image?: TinyImage): Promise<ScriptedRegistry> {
    const registry = new ScriptedRegistry();
    const server = registry.#server.listen(0, '127.0.0.1');
    t.after(() => server.close().closeAllConnections());
    await once(server, 'listening');
    registry.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    for (const [digest, bytes] of image?.blobs ?? []) registry.blobs.set(digest, bytes);
    if (image) registry.blobs.set('latest', image.manifest);
    return registry;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { url: path = '', headers } = request;
    this.asked.push({ path, authorization: headers.authorization, range: headers.range });
    if (this.script(request, response) === true) return;
    const bytes = this.blobs.get(path.split('/').at(-1) ?? '');
    if (!bytes) {
      response.writeHead(404).end('{"errors":[{"code":"UNKNOWN","message":"nothing here"}]}');
      return;
    }
    const type = bytes.includes('"manifests"') ? INDEX_TYPE : MANIFEST_TYPE;
    const offset = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
    const range = { 'content-range': `bytes ${offset}-${bytes.length - 1}/${bytes.length}` };
    const extra = offset > 0 ? range : {};
    const common = { 'content-type': type, 'content-length': bytes.length - offset };
    response.writeHead(offset > 0 ? 206 : 200, { ...common, ...extra }).end(bytes.subarray(offset));
  }
}
