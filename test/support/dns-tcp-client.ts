import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { pollUntil } from '#base/backoff.ts';
import { readDnsReply, type DnsReply } from './dns-udp-client.ts';

/** One TCP connection to a name server on the loopback. */
export class DnsTcpClient implements AsyncDisposable {
  readonly socket: Socket;
  #received = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
    });
    socket.on('error', () => {}); // a server that cuts off; 'close' follows
  }

  static async connect(port: number): Promise<DnsTcpClient> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect', { signal: AbortSignal.timeout(5000) });
    return new DnsTcpClient(socket);
  }

  /** Sends all at once; false when the socket wants a pause. */
  send(queries: readonly Buffer[]): boolean {
    return this.socket.write(Buffer.concat(queries.map(withLength)));
  }

  async sendBytewise(query: Buffer): Promise<void> {
    this.socket.setNoDelay(true);
    for (const byte of withLength(query)) {
      this.socket.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** The next answer. @throws when the connection ends before, or after 5 s */
  next(): Promise<DnsReply> {
    return pollUntil(
      () => {
        const reply = this.#take();
        if (reply) return readDnsReply(reply);
        if (this.socket.closed) throw new Error('the connection ended');
        return undefined;
      },
      { signal: AbortSignal.timeout(5000) },
    );
  }

  async ask(query: Buffer): Promise<DnsReply> {
    this.send([query]);
    return this.next();
  }

  /** Resolves when the server has ended the connection; 5 s at most. What it sends before is thrown away. */
  async cutOff(): Promise<void> {
    if (!this.socket.closed) await once(this.socket, 'close', { signal: AbortSignal.timeout(5000) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.socket.closed) return;
    const closed = once(this.socket, 'close');
    this.socket.destroy();
    await closed;
  }

  #take(): Buffer | undefined {
    if (this.#received.length < 2) return undefined;
    const end = 2 + this.#received.readUInt16BE(0);
    if (this.#received.length < end) return undefined;
    const reply = this.#received.subarray(2, end);
    this.#received = this.#received.subarray(end);
    return reply;
  }
}

function withLength(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}
