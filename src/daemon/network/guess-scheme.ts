import { once } from 'node:events';
import { addAbortSignal, type Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import type { Abortable } from '#base/abort.ts';
import type { PortScheme } from '#contract/owner/port.ts';

type Connect = (options: Abortable) => Promise<Duplex>;

const QUESTION = 'HEAD / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: banger\r\nConnection: close\r\n\r\n';
const ENOUGH_BYTES = 12;
/** A record of TLS that tells of an error: the answer to what is no greeting. */
const TLS_ALERT = 0x15;
/** Also what web servers answer plain HTTP on a port for TLS. */
const BAD_REQUEST = /^HTTP\/\d\.\d 400/;

/**
 * Asks a port of a guest what it speaks, with one request and at most one TLS greeting. Undefined when it speaks something else.
 *
 * @throws the signal's reason, and what the connection fails with
 */
export async function guessScheme(
  connect: Connect,
  { signal }: Required<Abortable>,
): Promise<PortScheme | undefined> {
  const answer = await askPlain(await connect({ signal }), signal);
  const words = answer.toString('latin1');
  const isHttp = words.startsWith('HTTP/');
  const mayBeTls = BAD_REQUEST.test(words) || answer.length === 0 || answer[0] === TLS_ALERT;
  if (mayBeTls && (await greetTls(await connect({ signal }), signal))) return 'https';
  return isHttp ? 'http' : undefined;
}

async function askPlain(stream: Duplex, signal: AbortSignal | undefined): Promise<Buffer> {
  if (signal) addAbortSignal(signal, stream);
  const parts: Buffer[] = [];
  let length = 0;
  try {
    stream.write(QUESTION);
    for await (const part of stream as AsyncIterable<Buffer>) {
      parts.push(part);
      length += part.length;
      if (length >= ENOUGH_BYTES) break;
    }
  } catch {
    signal?.throwIfAborted(); // otherwise it was reset: an answer too
  } finally {
    stream.destroy();
  }
  return Buffer.concat(parts).subarray(0, ENOUGH_BYTES);
}

async function greetTls(stream: Duplex, signal: AbortSignal | undefined): Promise<boolean> {
  // Whose certificate it is does not matter: nothing is said but the greeting.
  const tls = connectTls({ socket: stream, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] });
  try {
    await once(tls, 'secureConnect', { signal });
    return true;
  } catch {
    signal?.throwIfAborted(); // otherwise it does not speak TLS
    return false;
  } finally {
    tls.on('error', () => {}); // what its end causes
    tls.destroy();
    stream.destroy();
  }
}
