import { connect, type Socket } from 'node:net';
import type { Abortable } from '#base/abort.ts';
import { UserError } from '#contract/errors.ts';
import { BUILD_HEADER, buildLabel } from '#contract/version.ts';
import { parseErrorBody } from './error-body.ts';

export interface UpgradeRequest extends Abortable {
  socketPath: string;
  path: string;
  protocol: string;
  /**
   * What is said first in the other protocol, sent along with the request: a round trip less. A daemon that refuses closes the connection
   * without reading it.
   */
  firstBytes: Uint8Array;
}

export interface UpgradedConnection {
  socket: Socket;
  /** Bytes that came with the 101. */
  head: Buffer;
}

/** What a refusal may take; a daemon of ours stays far below. */
const MAX_ANSWER_BYTES = 2 ** 20;

/**
 * Switches a new connection to another protocol. By hand rather than with node:http, which takes 10 ms to load and make its first
 * request: as long as everything else that a client does to run a command.
 *
 * @throws UserError what the daemon answered; a system error when nobody listens; the signal's reason
 */
export function upgrade(request: UpgradeRequest): Promise<UpgradedConnection> {
  const { socketPath, path, protocol, firstBytes, signal } = request;
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    let answer: Buffer = Buffer.alloc(0);
    const settle = (act: () => void) => {
      socket.off('data', onData).off('end', onEnd).off('error', fail);
      signal?.removeEventListener('abort', onAbort);
      act();
    };
    const fail = (error: unknown) => {
      settle(() => reject(error));
      socket.on('error', () => {}); // who was told of one error needs no second one
      socket.destroy();
    };
    const onAbort = () => fail(signal?.reason);
    const onData = (chunk: Buffer) => {
      answer = Buffer.concat([answer, chunk]);
      const end = answer.indexOf('\r\n\r\n');
      if (end >= 0 && statusOf(answer) === 101) {
        socket.pause();
        settle(() => resolve({ socket, head: answer.subarray(end + 4) }));
      } else if (answer.length > MAX_ANSWER_BYTES) onEnd();
    };
    const onEnd = () => fail(refusalOf(answer, path));
    if (signal?.aborted) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
    socket.on('data', onData).on('end', onEnd).on('error', fail);
    socket.write(Buffer.concat([Buffer.from(requestHead(path, protocol)), firstBytes]));
  });
}

function requestHead(path: string, protocol: string): string {
  return [
    `GET ${path} HTTP/1.1`,
    'host: localhost',
    'connection: upgrade',
    `upgrade: ${protocol}`,
    `${BUILD_HEADER}: ${buildLabel()}`,
    '',
    '',
  ].join('\r\n');
}

function statusOf(answer: Buffer): number {
  return Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer.toString('latin1', 0, 32))?.[1]);
}

/** A refusal ends the connection, so what follows its head is its body. */
function refusalOf(answer: Buffer, path: string): UserError {
  const body = answer.subarray(answer.indexOf('\r\n\r\n') + 4).toString('utf8');
  const context = `Cannot open "${path}"`;
  if (!(statusOf(answer) >= 400))
    return new UserError('DAEMON_UNREACHABLE', `${context}: the daemon closed the connection`);
  return parseErrorBody(parseJson(body), context);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // told as an error that cannot be read
  }
}
