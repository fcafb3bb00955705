import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { isUserError } from '#contract/errors.ts';
import type { Forward, ForwardOptions, HostPort } from './forward.ts';
import { relay } from './relay.ts';

/** A TCP port of the host that leads into a guest. */
export class TcpForward implements Forward {
  readonly #options: ForwardOptions;
  readonly #server: Server;

  /** @throws what the system says when it cannot listen there */
  static async listen({ address, port }: HostPort, options: ForwardOptions): Promise<TcpForward> {
    const forward = new TcpForward(options);
    forward.#server.listen({ host: address, port, exclusive: true });
    await once(forward.#server, 'listening');
    forward.#server.on('error', (error) =>
      options.log.warn({ address, port, error: error.message }, 'a connection could not be accepted'),
    );
    return forward;
  }

  private constructor(options: ForwardOptions) {
    this.#options = options;
    const settings = { allowHalfOpen: true, pauseOnConnect: true, noDelay: true };
    this.#server = createServer(settings, (socket) => void this.#serve(socket));
  }

  close(): void {
    this.#server.close();
  }

  async #serve(socket: Socket): Promise<void> {
    socket.on('error', () => {}); // its close follows
    // A reset is the one way in which TCP can still say no.
    const cut = () => socket.resetAndDestroy();
    const release = this.#options.connections.admit(cut);
    if (!release) {
      cut();
      return;
    }
    const gone = new AbortController();
    socket.once('close', () => gone.abort());
    try {
      const guest = await this.#options.dialer.connectTcp({ signal: gone.signal });
      guest.once('close', release);
      relay(socket, guest);
    } catch (error) {
      release();
      cut();
      if (!gone.signal.aborted && !isUserError(error))
        this.#options.log.error({ err: error }, 'a connection could not be forwarded');
    }
  }
}
