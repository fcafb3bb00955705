import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { raceAbort } from '#base/abort.ts';
import type { GuestNetwork } from '#network/network.ts';
import {
  ACK,
  FIN,
  PSH,
  RST,
  SYN,
  TCP,
  UDP,
  addressBytes,
  parseFrame,
  parseTcp,
  tcpPacket,
  udpPacket,
  type Endpoints,
  type TcpSegment,
} from './ipv4-packets.ts';

const EMPTY = Buffer.alloc(0);
const FIRST_SEQUENCE = 1000;

/** A guest without a machine: sends whatever frames it likes into a network, as root in a real guest can. */
export class FrameGuest implements Disposable {
  readonly #socket: Socket;
  readonly #mac: Buffer;
  readonly #address: string;
  #gatewayMac: Buffer = Buffer.alloc(6, 0xff);
  #received: Buffer = EMPTY;
  #onFrame: (frame: Buffer) => void = () => {};
  #nextPort = 40_000;

  private constructor(socket: Socket, guest: GuestNetwork) {
    this.#socket = socket;
    this.#mac = Buffer.from(guest.mac.replaceAll(':', ''), 'hex');
    this.#address = guest.address.split('/')[0]!;
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
  }

  static async connect(socketPath: string, network: GuestNetwork): Promise<FrameGuest> {
    const socket = connect(socketPath);
    await once(socket, 'connect');
    const guest = new FrameGuest(socket, network);
    await guest.#findGateway(network.gateway);
    return guest;
  }

  /** What the other end of a TCP connection sends first, undefined when nothing comes within `timeoutMs`. */
  async readOverTcp(
    destination: string,
    port: number,
    options: AskOptions = {},
  ): Promise<string | undefined> {
    const ends = this.#endsFor(destination, port, options.source);
    const send = (flags: number, sequence: number, acknowledgment: number, payload = EMPTY) =>
      this.#send(0x0800, tcpPacket(ends, { sequence, acknowledgment, flags, payload }));
    const answer = await this.#ask<string | undefined>(
      () => send(SYN, FIRST_SEQUENCE, 0),
      ({ protocol, content }) => {
        if (protocol !== TCP) return undefined;
        const segment = parseTcp(content);
        if (segment.destinationPort !== ends.sourcePort) return undefined;
        if (segment.flags & RST) return { value: undefined };
        if (segment.flags & SYN) send(ACK | PSH, FIRST_SEQUENCE + 1, acknowledge(segment), Buffer.from('\n'));
        else if (segment.flags & FIN || segment.payload.length > 0)
          send(ACK, FIRST_SEQUENCE + 2, acknowledge(segment));
        return segment.payload.length > 0 ? { value: segment.payload.toString() } : undefined;
      },
      options,
    );
    send(RST, FIRST_SEQUENCE + 2, 0);
    return answer;
  }

  /** The answer to a datagram, undefined when none comes within `timeoutMs`. */
  readOverUdp(
    destination: string,
    port: number,
    options: AskOptions & { payload?: Buffer } = {},
  ): Promise<Buffer | undefined> {
    const ends = this.#endsFor(destination, port, options.source);
    return this.#ask(
      () => this.#send(0x0800, udpPacket(ends, options.payload ?? Buffer.from('hello'))),
      ({ protocol, content }) => {
        const isAnswer = protocol === UDP && content.readUInt16BE(2) === ends.sourcePort;
        return isAnswer ? { value: content.subarray(8) } : undefined;
      },
      options,
    );
  }

  /** Sends bytes that are no frames. */
  sendRaw(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  get closed(): Promise<unknown> {
    return this.#socket.destroyed ? Promise.resolve() : once(this.#socket, 'close');
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  #endsFor(destination: string, destinationPort: number, source = this.#address): Endpoints {
    return { source, sourcePort: (this.#nextPort += 1), destination, destinationPort };
  }

  async #findGateway(gateway: string): Promise<void> {
    const head = Buffer.from([0, 1, 8, 0, 6, 4, 0, 1]);
    const question = [head, this.#mac, addressBytes(this.#address), Buffer.alloc(6), addressBytes(gateway)];
    const answered = new Promise<Buffer>((resolve) => {
      this.#onFrame = (frame) => {
        if (frame.readUInt16BE(12) === 0x0806 && frame.subarray(0, 6).equals(this.#mac))
          resolve(frame.subarray(6, 12));
      };
    });
    this.#send(0x0806, Buffer.concat(question));
    this.#gatewayMac = await raceAbort(answered, AbortSignal.timeout(5000));
  }

  async #ask<T>(
    send: () => void,
    match: (packet: NonNullable<ReturnType<typeof parseFrame>>) => { value: T } | undefined,
    { timeoutMs = 500 }: AskOptions,
  ): Promise<T | undefined> {
    const { promise, resolve } = Promise.withResolvers<T | undefined>();
    const timer = setTimeout(() => resolve(undefined), timeoutMs);
    this.#onFrame = (frame) => {
      const packet = parseFrame(frame);
      const found = packet && match(packet);
      if (found) resolve(found.value);
    };
    send();
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#onFrame = () => {};
    }
  }

  #send(etherType: number, content: Buffer): void {
    const frame = Buffer.concat([
      this.#gatewayMac,
      this.#mac,
      Buffer.from([etherType >> 8, etherType & 0xff]),
      content,
    ]);
    const prefix = Buffer.alloc(4);
    prefix.writeUInt32BE(frame.length);
    this.#socket.write(Buffer.concat([prefix, frame]));
  }

  #read(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    while (this.#received.length >= 4 && this.#received.length >= 4 + this.#received.readUInt32BE(0)) {
      const end = 4 + this.#received.readUInt32BE(0);
      this.#onFrame(this.#received.subarray(4, end));
      this.#received = this.#received.subarray(end);
    }
  }
}

export interface AskOptions {
  timeoutMs?: number;
  /** Another than the guest's own address. */
  source?: string;
}

function acknowledge({ sequence, flags, payload }: TcpSegment): number {
  return sequence + payload.length + (flags & (SYN | FIN) ? 1 : 0);
}
