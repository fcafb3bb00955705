import { DatabaseSync } from 'node:sqlite';
import { UserError } from '#contract/errors.ts';

/**
 * Held by the one daemon of a state folder. The kernel frees it when the process ends, however it ends.
 * Node has no flock(2); an exclusive SQLite transaction is the same fcntl lock.
 */
export class InstanceLock implements Disposable {
  readonly #database: DatabaseSync;

  private constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** @throws UserError `DAEMON_ALREADY_RUNNING` */
  static acquire(path: string): InstanceLock {
    const database = new DatabaseSync(path, { timeout: 0 });
    try {
      database.exec('PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE');
      return new InstanceLock(database);
    } catch (error) {
      database.close();
      if (error instanceof Error && /locked|busy/i.test(error.message)) {
        throw new UserError(
          'DAEMON_ALREADY_RUNNING',
          'Cannot start the daemon: another one runs with this state folder',
          {
            hint: 'banger daemon status',
            cause: error,
          },
        );
      }
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }
}
