import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';

/** Says `message` to whoever connects over TCP or sends a datagram, on one address only. */
export class TcpUdpService implements AsyncDisposable {
  readonly port: number;
  readonly #close: () => Promise<void>;

  private constructor(port: number, close: () => Promise<void>) {
    this.port = port;
    this.#close = close;
  }

  static async listen(address: string, message: string): Promise<TcpUdpService> {
    const tcp = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.end(message);
    });
    tcp.listen(0, address);
    await once(tcp, 'listening');
    const { port } = tcp.address() as AddressInfo;
    const udp = createSocket('udp4', (_, { port: to, address: at }) => udp.send(message, to, at));
    udp.bind(port, address);
    await once(udp, 'listening');
    return new TcpUdpService(port, async () => {
      udp.close();
      tcp.close();
      await once(tcp, 'close');
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#close();
  }
}

/** An address of this host that is not its loopback: to a guest it is the outside. */
export function findOutsideAddress(): string | undefined {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
}
