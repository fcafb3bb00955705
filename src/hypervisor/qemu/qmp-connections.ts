import { raceAbort, withTimeout, type Abortable } from '#base/abort.ts';
import { QmpClient } from './qmp.ts';

interface SharedConnection {
  client: Promise<QmpClient>;
  users: number;
}

const OPEN_TIMEOUT_MS = 10_000;

/**
 * One QMP session for each machine, shared by all that need it at the same time, because QEMU serves one client and keeps
 * the others waiting. It ends with its last user, so that nothing is held open for a machine that nobody asks about.
 */
export class QmpConnections {
  readonly #shared = new Map<string, SharedConnection>();

  /** @throws QmpConnectionError when nobody listens there, and whatever `action` throws */
  async use<T>(
    socketPath: string,
    action: (client: QmpClient) => Promise<T>,
    { signal }: Abortable = {},
  ): Promise<T> {
    const connection = this.#shared.get(socketPath) ?? this.#open(socketPath);
    connection.users += 1;
    try {
      return await action(await raceAbort(connection.client, signal));
    } finally {
      connection.users -= 1;
      if (connection.users === 0) this.#close(socketPath, connection);
    }
  }

  #open(socketPath: string): SharedConnection {
    // Not bound to the first user's signal: others may already wait for the same session.
    const client = QmpClient.open(socketPath, { signal: withTimeout(OPEN_TIMEOUT_MS) });
    const connection = { client, users: 0 };
    this.#shared.set(socketPath, connection);
    const forget = () => {
      if (this.#shared.get(socketPath) === connection) this.#shared.delete(socketPath);
    };
    client.then((opened) => opened.closed.then(forget), forget);
    return connection;
  }

  #close(socketPath: string, connection: SharedConnection): void {
    if (this.#shared.get(socketPath) === connection) this.#shared.delete(socketPath);
    connection.client.then(
      (client) => client.close(),
      () => {}, // it never opened: its users were told
    );
  }
}
