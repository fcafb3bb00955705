import type { Duplex } from 'node:stream';
import { UserError } from '#contract/errors.ts';
import { BUILD_HEADER, buildLabel } from '#contract/version.ts';
import { answerError, type ErrorAnswer } from './api-error.ts';

// An import of node:http would load undici for its WebSocket export: 16 MiB.
const { STATUS_CODES } = process.getBuiltinModule('node:http');

/** Answers with an error and closes, where there is a socket but no response object: before an upgrade, after bytes that are not HTTP. */
export function endWithError(socket: Duplex, { status, body }: Pick<ErrorAnswer, 'status' | 'body'>): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const text = JSON.stringify(body);
  socket.resume(); // a socket that is closed with bytes unread takes the answer with it
  socket.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Error'}`,
      `${BUILD_HEADER}: ${buildLabel()}`,
      'content-type: application/json; charset=utf-8',
      `content-length: ${Buffer.byteLength(text)}`,
      'connection: close',
      '',
      text,
    ].join('\r\n'),
  );
}

export function refuseMalformed(error: Error, socket: Duplex): void {
  const refusal = new UserError('INVALID_ARGUMENT', `Cannot read the request: ${error.message}`);
  endWithError(socket, answerError(refusal, 'unread'));
}
