import { createPrivateKey, randomUUID, sign, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import type { Certificates } from './certificates.ts';

export const SERVICE = 'registry.test';
export const ISSUER = 'token-server.test';
export const PASSWORD = 'ada:secret word';
export const IDENTITY_TOKEN = 'identity-of-ada';

/** Lets everybody pull `public/…`, and who logs in do everything. */
export class TokenServer {
  readonly #certificates: Certificates;
  readonly #server = createServer((request, response) => {
    this.#answer(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });

  constructor(certificates: Certificates) {
    this.#certificates = certificates;
  }

  async start(t: TestContext): Promise<string> {
    t.after(() => this.#server.close().closeAllConnections());
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/token`;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { searchParams } = new URL(request.url ?? '', 'http://127.0.0.1');
    const form = new URLSearchParams(Buffer.concat(await Array.fromAsync(request)).toString());
    const wanted = new URLSearchParams([...searchParams, ...form]);
    const basic = `Basic ${Buffer.from(PASSWORD).toString('base64')}`;
    const isAda =
      request.headers.authorization === basic ||
      (wanted.get('grant_type') === 'refresh_token' && wanted.get('refresh_token') === IDENTITY_TOKEN);
    if (!isAda && (request.headers.authorization !== undefined || form.size > 0)) {
      response.writeHead(401).end('{"errors":[{"message":"wrong password"}]}');
      return;
    }
    const token = await this.#sign(accessFor(wanted.getAll('scope'), isAda));
    response.end(JSON.stringify(form.size > 0 ? { access_token: token } : { token }));
  }

  async #sign(access: unknown): Promise<string> {
    const { certificate, key } = this.#certificates;
    const x5c = [new X509Certificate(await readFile(certificate)).raw.toString('base64')];
    const nowS = Math.floor(Date.now() / 1000);
    const times = { iat: nowS, nbf: nowS - 10, exp: nowS + 300 };
    const claims = { iss: ISSUER, sub: 'ada', aud: SERVICE, jti: randomUUID(), ...times, access };
    const text = [{ typ: 'JWT', alg: 'ES256', x5c }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    const privateKey = createPrivateKey(await readFile(key));
    const signature = sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' });
    return `${text}.${signature.toString('base64url')}`;
  }
}

/** `repository:a/b:pull,push` → what of it is granted. */
function accessFor(scopes: readonly string[], isAda: boolean) {
  return scopes
    .flatMap((scope) => scope.split(' '))
    .flatMap((scope) => {
      const [type = '', name = '', actions = ''] = scope.split(':');
      if (isAda) return [{ type, name, actions: actions.split(',') }];
      return name.startsWith('public/') ? [{ type, name, actions: ['pull'] }] : [];
    });
}
