import type { Readable } from 'node:stream';
import { messageOf, systemErrorCode } from '#base/errors.ts';

/** Codes of failures that the next connection may not have; the others, such as of certificates, stay. */
const PASSING = [
  ...['ECONNRESET', 'ETIMEDOUT', 'EPIPE', 'EAI_AGAIN', 'ENETUNREACH', 'EHOSTUNREACH'],
  ...['ERR_STREAM_PREMATURE_CLOSE', 'HPE_INVALID_EOF_STATE'],
];
const TRUST = /CERT|UNABLE_TO_|ERR_TLS_/;
const LANGUAGE = /^(EPROTO|HPE_(?!HEADER_OVERFLOW)|ERR_SSL_)/;

/** A server could not be reached, or the connection to it ended or fell silent. */
export class ConnectionError extends Error {
  readonly isPassing: boolean;
  readonly hint: string;

  constructor(cause: unknown, host: string) {
    const code = systemErrorCode(cause) ?? '';
    super(`${host}: ${messageOf(cause)}`, { cause });
    this.name = 'ConnectionError';
    this.isPassing = PASSING.includes(code);
    this.hint = hintFor(code, host);
  }
}

/** For servers that take too long: what the timers of Node say is not about them. */
export function silence(timeoutMs: number): Error {
  return Object.assign(new Error(`no answer within ${timeoutMs / 1000} s`), { code: 'ETIMEDOUT' });
}

/** The bytes of a body; what ends them too early is the connection's failure, and no other part's. */
export async function* readBody(body: Readable, host: string): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of body) yield chunk as Buffer;
  } catch (error) {
    throw new ConnectionError(error, host);
  }
}

function hintFor(code: string, host: string): string {
  if (code.startsWith('ERR_PROXY_'))
    return 'Check HTTPS_PROXY and NO_PROXY as they were when the daemon was started, then restart it';
  if (TRUST.test(code))
    return `If "${host}" has a certificate of your own authority, configure that authority`;
  if (LANGUAGE.test(code)) return `Check that "${host}" speaks HTTPS on this port`;
  return `Check the name "${host}" and the network, then run the command again`;
}
