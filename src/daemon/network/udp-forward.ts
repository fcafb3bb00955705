import { createSocket } from 'node:dgram';
import type { RemoteInfo, Socket } from 'node:dgram';
import { once } from 'node:events';
import { isUserError } from '#contract/errors.ts';
import type { GuestDatagrams } from '#guest/guest-datagrams.ts';
import type { Forward, ForwardOptions, HostPort } from './forward.ts';

interface Peer {
  guest: Promise<GuestDatagrams | undefined>;
  end: () => void;
  lastUsed: number;
}

const MAX_PEERS = 64;
const IDLE_MS = 60_000;
const SWEEP_MS = 10_000;

/**
 * A UDP port of the host that leads into a guest. Each peer gets a socket of its own there, so that answers find back; one that
 * says nothing for a minute is forgotten, and the most silent one when there are too many.
 */
export class UdpForward implements Forward {
  readonly #options: ForwardOptions;
  readonly #socket: Socket;
  /** The one that was used last is the last. */
  readonly #peers = new Map<string, Peer>();
  readonly #sweep: NodeJS.Timeout;
  #closed = false;

  /** @throws what the system says when it cannot listen there */
  static async listen({ address, port }: HostPort, options: ForwardOptions): Promise<UdpForward> {
    const socket = createSocket({ type: address.includes(':') ? 'udp6' : 'udp4' });
    try {
      socket.bind({ address, port, exclusive: true });
      await once(socket, 'listening');
    } catch (error) {
      socket.close();
      throw error;
    }
    return new UdpForward(socket, options);
  }

  private constructor(socket: Socket, options: ForwardOptions) {
    this.#socket = socket;
    this.#options = options;
    socket.on('error', (error) =>
      options.log.debug({ error: error.message }, 'a datagram could not be sent'),
    );
    socket.on('message', (datagram, peer) => void this.#receive(datagram, peer));
    this.#sweep = setInterval(() => this.#forgetIdle(), SWEEP_MS).unref();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#sweep);
    for (const peer of [...this.#peers.values()]) peer.end();
    this.#socket.close();
  }

  async #receive(datagram: Buffer, remote: RemoteInfo): Promise<void> {
    const key = `${remote.address} ${remote.port}`;
    const peer = this.#peers.get(key) ?? this.#connect(key, remote);
    if (!peer) return;
    this.#peers.delete(key);
    this.#peers.set(key, peer);
    peer.lastUsed = performance.now();
    const guest = await peer.guest;
    guest?.send(datagram);
  }

  #connect(key: string, remote: RemoteInfo): Peer | undefined {
    if (this.#peers.size >= MAX_PEERS) this.#peers.values().next().value?.end();
    let guest: Promise<GuestDatagrams | undefined> = Promise.resolve(undefined);
    const end = () => {
      this.#peers.delete(key);
      release?.();
      void guest.then((datagrams) => datagrams?.close());
    };
    const release = this.#options.connections.admit(end);
    if (!release) return undefined;
    guest = this.#open(remote, end);
    const peer = { guest, end, lastUsed: performance.now() };
    this.#peers.set(key, peer);
    return peer;
  }

  async #open({ address, port }: RemoteInfo, end: () => void): Promise<GuestDatagrams | undefined> {
    try {
      return await this.#options.dialer.connectUdp({
        onDatagram: (datagram) => {
          if (!this.#closed) this.#socket.send(datagram, port, address);
        },
        onEnd: end,
      });
    } catch (error) {
      end();
      if (!isUserError(error)) this.#options.log.error({ err: error }, 'datagrams could not be forwarded');
      return undefined;
    }
  }

  #forgetIdle(): void {
    const oldest = performance.now() - IDLE_MS;
    for (const peer of [...this.#peers.values()]) if (peer.lastUsed < oldest) peer.end();
  }
}
