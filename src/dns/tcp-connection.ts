import type { Socket } from 'node:net';

export interface TcpConnectionOptions {
  /** The answer to a message; undefined ends the connection. */
  answer: (message: Buffer) => Buffer | undefined;
  /** How long a client may take from one complete query to the next. */
  idleMs: number;
}

/** Far beyond any query: a name has at most 255 bytes, and what comes with it few more. */
const MAX_QUERY_BYTES = 4096;
const LENGTH_BYTES = 2;

/**
 * Answers the queries of one connection, each after its length, in their order (RFC 7766). A client that sends in
 * drips, never reads or goes too far is cut off.
 */
export function serveTcpConnection(socket: Socket, { answer, idleMs }: TcpConnectionOptions): void {
  let pending = Buffer.alloc(0);
  const idle = setTimeout(() => socket.destroy(), idleMs);

  const answerNext = (): boolean => {
    if (pending.length < LENGTH_BYTES) return false;
    const end = LENGTH_BYTES + pending.readUInt16BE(0);
    if (end > LENGTH_BYTES + MAX_QUERY_BYTES) {
      socket.destroy();
      return false;
    }
    if (pending.length < end) return false;
    const reply = answer(pending.subarray(LENGTH_BYTES, end));
    pending = pending.subarray(end);
    if (reply) socket.write(withLength(reply));
    else socket.destroy();
    idle.refresh();
    return reply !== undefined;
  };

  socket.on('data', (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    while (answerNext());
    if (socket.writableNeedDrain) socket.pause();
  });
  socket.on('drain', () => socket.resume());
  socket.on('error', () => {}); // the client went away; 'close' follows
  socket.on('close', () => clearTimeout(idle));
}

function withLength(message: Buffer): Buffer {
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}
