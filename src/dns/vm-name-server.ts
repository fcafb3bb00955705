import { messageOf, systemErrorCode } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { answerQuery } from './answer-query.ts';
import { DnsSockets } from './dns-sockets.ts';
import { VmZone } from './vm-zone.ts';

export const DNS_ADDRESS = '127.0.0.1';
export const DNS_PORT = 42_069;

export interface VmNameServerOptions {
  log: Logger;
  /** Default 127.0.0.1. */
  address?: string;
  /** Default 42069; 0 takes one that is free. */
  port?: number;
  /** How long after a failure to listen it tries again; default 30 s. */
  retryMs?: number;
  /** How long a TCP client may take from one query to the next; default 10 s. */
  idleMs?: number;
  /** TCP clients at a time; default 32. */
  maxConnections?: number;
}

/** Where it listens, or would like to, and why it does not. */
export type NameServerStatus =
  | { listening: true; address: string; port: number }
  | { listening: false; address: string; port: number; reason: string };

/**
 * The name server of the daemon: `NAME.vm` over UDP and TCP, and the way back from an address.
 * Names are a convenience: when its port is taken the daemon goes on without, and the server tries again by itself.
 */
export class VmNameServer implements AsyncDisposable {
  readonly #options: Required<VmNameServerOptions>;
  readonly #zone = new VmZone();
  #sockets: DnsSockets | undefined;
  #reason = 'it was not started';
  #attempt: Promise<void> = Promise.resolve();
  #retry: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: VmNameServerOptions) {
    this.#options = {
      address: DNS_ADDRESS,
      port: DNS_PORT,
      retryMs: 30_000,
      idleMs: 10_000,
      maxConnections: 32,
      ...options,
    };
  }

  /** Listens, or tries again later: resolves either way, and `status()` tells. */
  start(): Promise<void> {
    this.#attempt = this.#listen();
    return this.#attempt;
  }

  /** Publishes a VM; another address replaces the one that it had. */
  set(name: string, address: string): void {
    this.#zone.set(name, address);
  }

  remove(name: string): void {
    this.#zone.remove(name);
  }

  status(): NameServerStatus {
    const { address, port } = this.#options;
    if (this.#sockets) return { listening: true, address, port: this.#sockets.port };
    return { listening: false, address, port, reason: this.#reason };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    await this.#attempt;
    await this.#sockets?.close();
    this.#sockets = undefined;
    this.#reason = 'it was closed';
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #listen(): Promise<void> {
    const { address, port, idleMs, maxConnections, log } = this.#options;
    try {
      this.#sockets = await DnsSockets.open({
        address,
        port,
        idleMs,
        maxConnections,
        answer: (message, transport) => this.#answer(message, transport),
        onFailure: (error) => this.#giveUp(error),
      });
      log.info(this.status(), 'names of VMs are served');
    } catch (error) {
      if (systemErrorCode(error) === undefined) throw error;
      this.#giveUp(error);
    }
  }

  #giveUp(error: unknown): void {
    const reason = messageOf(error);
    const isNews = this.#sockets !== undefined || reason !== this.#reason;
    this.#sockets = undefined;
    this.#reason = reason;
    if (isNews) this.#options.log.warn(this.status(), 'names of VMs are not served, trying again');
    if (this.#isClosed) return;
    this.#retry = setTimeout(() => void this.start(), this.#options.retryMs).unref();
  }

  #answer(message: Buffer, transport: 'udp' | 'tcp'): Buffer | undefined {
    try {
      return answerQuery(message, this.#zone, transport);
    } catch (error) {
      // A bug, but one datagram must not end the daemon that owns the VMs.
      const query = message.subarray(0, 512).toString('hex');
      this.#options.log.error({ error, query }, 'cannot answer a DNS query');
      return undefined;
    }
  }
}
