import type { Duplex } from 'node:stream';
import type { Abortable } from '#base/abort.ts';
import type { Logger } from '#base/log.ts';
import type { DatagramHandler, GuestDatagrams } from '#guest/guest-datagrams.ts';
import type { OpenConnections } from './open-connections.ts';

/** Where the host listens. */
export interface HostPort {
  readonly address: string;
  readonly port: number;
}

/** A port of the host that leads into a guest. */
export interface Forward {
  /** Takes nobody new; the port is free again. Connections go on until they end. Idempotent. */
  close(): void;
}

/** The way into one port of a guest. */
export interface GuestPortDialer {
  /** @throws UserError when the guest refuses or does not answer; the signal's reason */
  connectTcp(options: Abortable): Promise<Duplex>;
  /** @throws UserError when the guest does not answer */
  connectUdp(handler: DatagramHandler): Promise<GuestDatagrams>;
}

export interface ForwardOptions {
  dialer: GuestPortDialer;
  /** Those of the whole VM; who finds no room is refused. */
  connections: OpenConnections;
  log: Logger;
}
