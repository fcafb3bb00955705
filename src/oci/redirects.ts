import type { Abortable } from '#base/abort.ts';
import { UserError } from '#contract/errors.ts';
import type { HttpRequest, HttpResponse, HttpTransport } from './http-transport.ts';
import { isLoopback, isSafeUrl } from './loopback.ts';

const MAX_REDIRECTS = 10;
const REDIRECTS = [301, 302, 303, 307, 308];

/**
 * Sends a GET and goes where the answers point. Credentials stay with the server that they were meant for: the first
 * step to another scheme, host or port drops them for good.
 *
 * @throws UserError IMAGE_PULL_FAILED for a circle, and for a step to a server that is not encrypted
 */
export async function sendFollowing(
  transport: HttpTransport,
  request: HttpRequest,
  options: Abortable = {},
): Promise<HttpResponse> {
  let current = request;
  for (let steps = 0; steps <= MAX_REDIRECTS; steps += 1) {
    const response = await transport.send(current, options);
    const target = findTarget(response);
    if (!target) return response;
    // An answer that redirects can have a body of any length.
    response.body.destroy();
    assertSafeStep(current.url, target);
    current = { url: target, headers: headersFor(target, current) };
  }
  throw refused(request.url, `it redirects more than ${MAX_REDIRECTS} times`);
}

function findTarget({ status, headers, url }: HttpResponse): URL | undefined {
  if (!REDIRECTS.includes(status) || headers.location === undefined) return undefined;
  return URL.parse(headers.location, url) ?? undefined;
}

function headersFor(target: URL, { url, headers }: HttpRequest): Record<string, string> {
  const kept = { ...headers };
  if (target.origin !== url.origin) delete kept['authorization'];
  return kept;
}

function assertSafeStep(from: URL, to: URL): void {
  if (to.username !== '' || to.password !== '') throw refused(from, 'it redirects to a URL with a password');
  const isPlain = from.protocol === 'http:' && isLoopback(from.hostname);
  if (!isSafeUrl(to, { allowPlainLoopback: isPlain })) {
    throw refused(from, `it redirects to "${to.origin}", which is not encrypted`);
  }
}

function refused(from: URL, condition: string): UserError {
  return new UserError('IMAGE_PULL_FAILED', `Cannot use the answer of "${from.host}": ${condition}`);
}
