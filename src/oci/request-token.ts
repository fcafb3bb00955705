import * as z from 'zod';
import type { Abortable } from '#base/abort.ts';
import { UserError } from '#contract/errors.ts';
import type { Challenge } from './challenge.ts';
import { basicAuthorization, type Credentials } from './credentials.ts';
import type { HttpRequest, HttpTransport } from './http-transport.ts';
import { isLoopback, isSafeUrl } from './loopback.ts';
import { readBounded } from './read-bounded.ts';
import { sendFollowing } from './redirects.ts';
import { toStatusError } from './registry-failure.ts';

const MAX_TOKEN_BYTES = 64 * 2 ** 10;
const TIMEOUT_MS = 30_000;

// What goes into a header must not be able to end it.
const tokenText = z.string().regex(/^[\x21-\x7e]+$/);
const answerSchema = z
  .object({ token: tokenText.optional(), access_token: tokenText.optional() })
  .transform(({ token, access_token: accessToken }) => token ?? accessToken)
  .pipe(tokenText);

export interface TokenRequest extends Abortable {
  transport: HttpTransport;
  /** The registry that sent the challenge. */
  server: URL;
  repository: string;
  challenge: Extract<Challenge, { scheme: 'bearer' }>;
  credentials: Credentials | undefined;
}

/**
 * Asks the token service that a registry named for the right to pull. The service may be on another host, as Docker
 * Hub's is; it gets the credentials of that registry and no others, which the registry could have had itself.
 *
 * @throws UserError REGISTRY_AUTH_FAILED when the service is not encrypted, refuses, or sends no token
 */
export async function requestToken(request: TokenRequest): Promise<string> {
  const { transport, server, signal } = request;
  const realm = parseRealm(request.challenge.realm, server);
  const outgoing = toHttpRequest(realm, request);
  const response = outgoing.form
    ? await transport.send(outgoing, { signal })
    : await sendFollowing(transport, outgoing, { signal });
  if (response.status !== 200) throw await toStatusError(response, signal);
  const body = await readBounded(response, { maxBytes: MAX_TOKEN_BYTES, timeoutMs: TIMEOUT_MS, signal });
  return parseToken(body, realm);
}

function parseRealm(realm: string, server: URL): URL {
  const url = URL.parse(realm);
  const isPlain = server.protocol === 'http:' && isLoopback(server.hostname);
  if (url && url.username === '' && isSafeUrl(url, { allowPlainLoopback: isPlain })) return url;
  throw refused(server.host, `its token service "${realm.slice(0, 200)}" is not encrypted`);
}

function toHttpRequest(realm: URL, { challenge, repository, credentials }: TokenRequest): HttpRequest {
  const scope = challenge.scope ?? `repository:${repository}:pull`;
  const fields = { ...(challenge.service === undefined ? {} : { service: challenge.service }), scope };
  if (credentials?.kind === 'identity-token') {
    const form = new URLSearchParams({
      ...fields,
      grant_type: 'refresh_token',
      refresh_token: credentials.token,
      client_id: 'banger',
    });
    return { url: realm, headers: {}, form: form.toString() };
  }
  const url = new URL(realm);
  for (const [name, value] of Object.entries(fields)) url.searchParams.set(name, value);
  return { url, headers: credentials ? { authorization: basicAuthorization(credentials) } : {} };
}

function parseToken(body: Buffer | undefined, realm: URL): string {
  if (!body) throw refused(realm.host, `its token has more than ${MAX_TOKEN_BYTES} bytes`);
  let answer: unknown;
  try {
    answer = JSON.parse(body.toString());
  } catch (error) {
    throw refused(realm.host, 'its token service sent no JSON', error);
  }
  const token = answerSchema.safeParse(answer);
  if (!token.success) throw refused(realm.host, 'its token service sent no usable token', token.error);
  return token.data;
}

function refused(host: string, condition: string, cause?: unknown): UserError {
  return new UserError('REGISTRY_AUTH_FAILED', `Cannot log in to "${host}": ${condition}`, { cause });
}
