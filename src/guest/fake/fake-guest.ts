import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { FakeAgent } from './fake-agent.ts';
import { newFakeGuestState } from './fake-guest-state.ts';
import type { FakeGuestState } from './fake-guest-state.ts';

/**
 * A guest behind a Unix socket, as QEMU offers one: a single connection at a time, and until the guest has booted
 * what the host sends waits in the socket.
 */
export class FakeGuest {
  readonly state: FakeGuestState;
  readonly #server: Server;
  readonly #path: string;
  readonly #waiting: Socket[] = [];
  #current: Socket | undefined;
  #booted: boolean;

  /** Listens on `path`; `booted: false` leaves the agent silent until {@link boot}. */
  static async listen(
    path: string,
    options: { state?: FakeGuestState; booted?: boolean } = {},
  ): Promise<FakeGuest> {
    const guest = new FakeGuest(path, options.state ?? newFakeGuestState(), options.booted ?? true);
    guest.#server.listen(path);
    await once(guest.#server, 'listening');
    return guest;
  }

  private constructor(path: string, state: FakeGuestState, booted: boolean) {
    this.#path = path;
    this.state = state;
    this.#booted = booted;
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
      this.#waiting.push(socket);
      socket.on('close', () => this.#gone(socket));
      socket.on('error', () => socket.destroy());
      this.#serveNext();
    });
  }

  /** From now on the agent answers. */
  boot(): void {
    this.#booted = true;
    this.#serveNext();
  }

  /** Breaks the connection, as a hypervisor that dies would; the socket keeps listening. */
  dropConnection(): void {
    this.#current?.destroy();
  }

  /** Ends everything and removes the socket. */
  async close(): Promise<void> {
    for (const socket of [...this.#waiting, this.#current]) socket?.destroy();
    if (this.#server.listening) {
      this.#server.close();
      await once(this.#server, 'close');
    }
    await rm(this.#path, { force: true });
  }

  #serveNext(): void {
    if (!this.#booted || this.#current) return;
    this.#current = this.#waiting.shift();
    if (!this.#current) return;
    new FakeAgent(this.#current, this.state);
    this.#current.resume();
  }

  #gone(socket: Socket): void {
    const index = this.#waiting.indexOf(socket);
    if (index >= 0) this.#waiting.splice(index, 1);
    if (this.#current !== socket) return;
    this.#current = undefined;
    this.#serveNext();
  }
}
