import * as http from 'node:http';
import * as https from 'node:https';
import { createSecureContext, getCACertificates } from 'node:tls';
import type { Readable } from 'node:stream';
import type { Abortable } from '#base/abort.ts';
import { ConnectionError, silence } from './connection-error.ts';
import { usableUrl, type Proxy } from './proxy.ts';

export interface HttpRequest {
  url: URL;
  headers: Readonly<Record<string, string>>;
  /** Sent as a form by POST; GET without it. */
  form?: string | undefined;
}

export interface HttpResponse {
  url: URL;
  status: number;
  headers: http.IncomingHttpHeaders;
  /** To be read to its end or destroyed. */
  body: Readable;
}

export interface TransportOptions {
  /** Authorities to trust besides the machine's, in PEM. */
  certificates: readonly string[];
  /** How long a server may send nothing, before its answer and within. */
  stallMs: number;
  /** For encrypted connections; others never leave this machine. */
  proxy?: Proxy | undefined;
}

const MAX_HEADER_BYTES = 32 * 2 ** 10;

/** HTTP with bounds and without any policy: no redirects, no credentials, no retries of its own. */
export class HttpTransport implements Disposable {
  readonly #options: TransportOptions;
  readonly #plain = new http.Agent({ keepAlive: true });
  #secure: https.Agent | undefined;

  constructor(options: TransportOptions) {
    this.#options = options;
  }

  /**
   * Resolves when the headers of the answer are there, whatever its status.
   *
   * @throws ConnectionError; UserError CONFIG_VALUE_INVALID for an unusable proxy; the signal's reason when aborted
   */
  send(request: HttpRequest, { signal }: Abortable = {}): Promise<HttpResponse> {
    signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<HttpResponse>();
    const outgoing = this.#open(request, signal);
    const stopWatch = this.#failWhenSilent(outgoing);
    outgoing.on('response', (body) => {
      stopWatch();
      this.#failWhenStalled(body);
      resolve({ url: request.url, status: body.statusCode ?? 0, headers: body.headers, body });
    });
    outgoing.on('error', (error) => {
      stopWatch();
      reject(signal?.aborted ? signal.reason : new ConnectionError(error, request.url.host));
    });
    outgoing.end(request.form);
    return promise;
  }

  [Symbol.dispose](): void {
    this.#plain.destroy();
    this.#secure?.destroy();
  }

  #open({ url, headers, form }: HttpRequest, signal: AbortSignal | undefined): http.ClientRequest {
    const formHeaders: Record<string, string> =
      form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' };
    const options: https.RequestOptions = {
      // Not the URL itself: user and password in one would be sent as credentials.
      host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: url.port,
      path: `${url.pathname}${url.search}`,
      method: form === undefined ? 'GET' : 'POST',
      headers: { 'user-agent': 'banger', 'accept-encoding': 'identity', ...headers, ...formHeaders },
      maxHeaderSize: MAX_HEADER_BYTES,
      ...(signal ? { signal } : {}),
    };
    if (url.protocol === 'http:') return http.request({ ...options, agent: this.#plain });
    return https.request({ ...options, agent: this.#secureAgent() });
  }

  /** A deadline, not a bound on silence: headers that drip in byte by byte end too. */
  #failWhenSilent(outgoing: http.ClientRequest): () => void {
    const timer = setTimeout(() => outgoing.destroy(silence(this.#options.stallMs)), this.#options.stallMs);
    return () => clearTimeout(timer);
  }

  #failWhenStalled(body: http.IncomingMessage): void {
    body.setTimeout(this.#options.stallMs, () => body.destroy(silence(this.#options.stallMs)));
  }

  /** With one context for all connections: reading hundreds of authorities takes longer than a handshake. */
  #secureAgent(): https.Agent {
    const { proxy } = this.#options;
    this.#secure ??= new https.Agent({
      keepAlive: true,
      secureContext: createSecureContext({ ca: this.#trusted() }),
      ...(proxy && { proxyEnv: { https_proxy: usableUrl(proxy), no_proxy: proxy.bypass } }),
    });
    return this.#secure;
  }

  #trusted(): string[] {
    const machine = [...getCACertificates('default'), ...getCACertificates('system')];
    return [...new Set([...machine, ...this.#options.certificates])];
  }
}
