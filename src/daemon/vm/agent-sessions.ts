import { messageOf } from '#base/errors.ts';
import { delay } from '#base/backoff.ts';
import { isTimeout, raceAbort, withTimeout, type Abortable } from '#base/abort.ts';
import type { Logger } from '#base/log.ts';
import { UserError, isUserError } from '#contract/errors.ts';
import type { AgentHello } from '#contract/guest/hello.ts';
import { runOutsideOperation } from '../operation-scope.ts';
import { AgentClient } from '#guest/agent-client.ts';
import type { GuestLink } from '#guest/link.ts';

interface Session {
  socketPath: string;
  /** Until the first connection. */
  isNewMachine: boolean;
  client: AgentClient | undefined;
  /** Settles with the next client; replaced when the link is lost. */
  ready: PromiseWithResolvers<AgentClient>;
  stop: AbortController;
}

/** How long a connection attempt may wait for the guest's greeting before the link is opened afresh. */
const GREETING_MS = 600_000;
const RECONNECT_MS = 200;

/**
 * Keeps one session open with the agent of each running VM, and opens it again when it is lost:
 * the guest may reset, the agent may be slow to come.
 */
export class AgentSessions {
  readonly #link: GuestLink;
  readonly #onConnected: (id: string, client: AgentClient) => void;
  readonly #log: Logger;
  readonly #sessions = new Map<string, Session>();

  constructor(options: {
    link: GuestLink;
    log: Logger;
    onConnected: (id: string, client: AgentClient) => void;
  }) {
    this.#link = options.link;
    this.#log = options.log;
    this.#onConnected = options.onConnected;
  }

  /** Begins to connect, in the background. `isNewMachine`: it was launched just now, and nobody has connected before. */
  open(id: string, { socketPath, isNewMachine }: { socketPath: string; isNewMachine: boolean }): void {
    if (this.#sessions.has(id)) return;
    const session: Session = {
      socketPath,
      isNewMachine,
      client: undefined,
      ready: newReady(),
      stop: new AbortController(),
    };
    this.#sessions.set(id, session);
    void runOutsideOperation(() => this.#keepConnected(id, session));
  }

  /** The session that is open just now. */
  find(id: string): AgentClient | undefined {
    return this.#sessions.get(id)?.client;
  }

  /** What the agent said of itself, while the session is open. */
  hello(id: string): AgentHello | undefined {
    return this.#sessions.get(id)?.client?.hello;
  }

  /**
   * The open session.
   *
   * @throws UserError `GUEST_NOT_ANSWERING` after `timeoutMs`; the signal's reason when it aborts first
   */
  async get(id: string, timeoutMs: number, { signal }: Abortable = {}): Promise<AgentClient> {
    const session = this.#sessions.get(id);
    if (!session) throw notAnswering(0);
    if (session.client) return session.client;
    try {
      return await raceAbort(session.ready.promise, withTimeout(timeoutMs, signal));
    } catch (error) {
      signal?.throwIfAborted();
      if (isTimeout(error)) throw notAnswering(timeoutMs, error);
      throw error;
    }
  }

  /** Ends the session; nothing is said to the guest. */
  close(id: string): void {
    const session = this.#sessions.get(id);
    if (!session) return;
    this.#sessions.delete(id);
    session.stop.abort(new UserError('GUEST_LINK_LOST', 'Cannot talk to the guest: the VM is going down'));
    session.ready.reject(session.stop.signal.reason);
    void session.client?.close();
  }

  closeAll(): void {
    for (const id of this.#sessions.keys()) this.close(id);
  }

  async #keepConnected(id: string, session: Session): Promise<void> {
    const { signal } = session.stop;
    while (!signal.aborted) {
      try {
        const stream = await this.#link.connect({ socketPath: session.socketPath }, { signal });
        const isFirstHost = session.isNewMachine;
        session.isNewMachine = false;
        const bound = withTimeout(GREETING_MS, signal);
        const client = await AgentClient.connect(stream, { isFirstHost, signal: bound });
        session.client = client;
        session.ready.resolve(client);
        const { agentVersion, init, readyUptimeMs } = client.hello;
        this.#log.info({ vm: id, agentVersion, init, readyUptimeMs }, 'the agent answers');
        this.#onConnected(id, client);
        await client.closed;
      } catch (error) {
        if (signal.aborted) return;
        const level = isUserError(error) ? 'debug' : 'warn';
        this.#log[level]({ vm: id, error: messageOf(error) }, 'no session with the agent');
      }
      if (session.client) {
        session.client = undefined;
        session.ready = newReady();
      }
      await delay(RECONNECT_MS, { signal }).catch(() => {}); // the loop's condition sees the abort
    }
  }
}

function newReady(): PromiseWithResolvers<AgentClient> {
  const ready = Promise.withResolvers<AgentClient>();
  ready.promise.catch(() => {}); // nobody may be waiting
  return ready;
}

function notAnswering(timeoutMs: number, cause?: unknown): UserError {
  return new UserError(
    'GUEST_NOT_ANSWERING',
    `Cannot reach the guest: its agent did not answer within ${Math.round(timeoutMs / 1000)} s`,
    { hint: 'the console says more: banger vm logs VM', cause },
  );
}
