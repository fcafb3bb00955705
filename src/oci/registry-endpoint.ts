import type { Abortable } from '#base/abort.ts';
import { UserError } from '#contract/errors.ts';
import { parseChallenge } from './challenge.ts';
import { basicAuthorization, type Credentials } from './credentials.ts';
import type { HttpResponse, HttpTransport } from './http-transport.ts';
import { sendFollowing } from './redirects.ts';
import { requestToken } from './request-token.ts';
import { toStatusError } from './registry-failure.ts';

export interface EndpointOptions {
  transport: HttpTransport;
  /** Scheme, host and port. */
  server: URL;
  /** As this server calls it: a mirror may keep it below a prefix. */
  repository: string;
  /** Asked when the server wants to know who we are, and not before: helpers may prompt. */
  findCredentials: (options: Abortable) => Promise<Credentials | undefined>;
}

/** One repository on one server. It logs in when the server asks for it, and keeps the token. */
export class RegistryEndpoint {
  readonly #options: EndpointOptions;
  #authorization: string | undefined;

  constructor(options: EndpointOptions) {
    this.#options = options;
  }

  /**
   * The answer to `GET /v2/<repository>/<path>`.
   *
   * @throws StatusError for one that is neither 200 nor 206; ConnectionError; UserError
   */
  async get(path: string, headers: Record<string, string>, options: Abortable = {}): Promise<HttpResponse> {
    const { server, repository } = this.#options;
    const url = new URL(`/v2/${repository}/${path}`, server);
    let response = await this.#send(url, headers, options);
    // Only the server itself may ask for a login, not whoever it redirects to.
    if (response.status === 401 && response.url.origin === server.origin) {
      const authorization = await this.#logIn(response, options);
      if (authorization !== undefined) {
        response.body.destroy();
        this.#authorization = authorization;
        response = await this.#send(url, headers, options);
      }
    }
    if (response.status === 200 || response.status === 206) return response;
    throw await toStatusError(response, options.signal);
  }

  #send(url: URL, headers: Record<string, string>, options: Abortable): Promise<HttpResponse> {
    const authorization = this.#authorization === undefined ? {} : { authorization: this.#authorization };
    return sendFollowing(
      this.#options.transport,
      { url, headers: { ...headers, ...authorization } },
      options,
    );
  }

  /** Undefined when the server asks for a password and there is none. */
  async #logIn(response: HttpResponse, options: Abortable): Promise<string | undefined> {
    const { server, repository, transport } = this.#options;
    const challenge = parseChallenge(response.headers['www-authenticate'] ?? '');
    if (!challenge) return undefined;
    const credentials = await this.#options.findCredentials(options);
    if (challenge.scheme === 'bearer') {
      const token = await requestToken({ transport, server, repository, challenge, credentials, ...options });
      return `Bearer ${token}`;
    }
    if (credentials?.kind === 'identity-token') {
      throw new UserError(
        'REGISTRY_AUTH_FAILED',
        `Cannot log in to "${server.host}": it wants a password, not a token`,
      );
    }
    return credentials && basicAuthorization(credentials);
  }
}
