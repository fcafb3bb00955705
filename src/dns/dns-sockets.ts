import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { systemErrorCode } from '#base/errors.ts';
import { serveTcpConnection } from './tcp-connection.ts';

export interface DnsSocketsOptions {
  address: string;
  /** 0: one that is free for both. */
  port: number;
  answer: (message: Buffer, transport: 'udp' | 'tcp') => Buffer | undefined;
  /** The sockets are of no use any more, and closed. */
  onFailure: (error: Error) => void;
  idleMs: number;
  maxConnections: number;
}

const FREE_PORT_ATTEMPTS = 16;

/** The two listening sockets of a name server, on one port. */
export class DnsSockets implements AsyncDisposable {
  readonly port: number;
  readonly #udp: UdpSocket;
  readonly #tcp: Server;
  readonly #connections = new Set<Socket>();
  #closing: Promise<void> | undefined;

  private constructor(udp: UdpSocket, tcp: Server, options: DnsSocketsOptions) {
    this.#udp = udp;
    this.#tcp = tcp;
    this.port = udp.address().port;
    for (const emitter of [udp, tcp]) {
      emitter.on('error', (error: Error) => void this.#fail(error, options));
    }
    udp.on('message', (message, { address, port }) => {
      const reply = port === 0 ? undefined : options.answer(message, 'udp'); // nobody can be reached at port 0
      if (reply) udp.send(reply, port, address, () => {}); // a client that is gone asks no more
    });
    tcp.on('connection', (socket) => this.#accept(socket, options));
    tcp.maxConnections = options.maxConnections;
  }

  /** @throws a system error, such as EADDRINUSE */
  static async open(options: DnsSocketsOptions): Promise<DnsSockets> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await bindBoth(options, (udp, tcp) => new DnsSockets(udp, tcp, options));
      } catch (error) {
        // Free for TCP is not free for UDP.
        const isWorthAnother = options.port === 0 && systemErrorCode(error) === 'EADDRINUSE';
        if (!isWorthAnother || attempt === FREE_PORT_ATTEMPTS) throw error;
      }
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #accept(socket: Socket, { answer, idleMs }: DnsSocketsOptions): void {
    this.#connections.add(socket);
    socket.on('close', () => this.#connections.delete(socket));
    serveTcpConnection(socket, { answer: (message) => answer(message, 'tcp'), idleMs });
  }

  async #fail(error: Error, { onFailure }: DnsSocketsOptions): Promise<void> {
    await this.close();
    onFailure(error);
  }

  async #close(): Promise<void> {
    for (const socket of this.#connections) socket.destroy();
    await Promise.all([closed(this.#udp), closed(this.#tcp)]);
  }
}

async function bindBoth<T>(
  { address, port }: DnsSocketsOptions,
  use: (udp: UdpSocket, tcp: Server) => T,
): Promise<T> {
  const tcp = createServer();
  const udp = createSocket('udp4');
  try {
    tcp.listen({ host: address, port, exclusive: true });
    await once(tcp, 'listening');
    udp.bind({ address, port: (tcp.address() as AddressInfo).port, exclusive: true });
    await once(udp, 'listening');
    return use(udp, tcp);
  } catch (error) {
    await Promise.all([closed(udp), closed(tcp)]);
    throw error;
  }
}

/** Closes what may have failed to open. */
function closed(socket: UdpSocket | Server): Promise<void> {
  return new Promise((resolve) => {
    socket.close(() => resolve());
  });
}
