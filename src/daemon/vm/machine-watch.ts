import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { runOutsideOperation } from '../operation-scope.ts';

export interface MachineWatchOptions {
  /** Resolves when the machine of this VM is gone. */
  waitForExit: (id: string, options: { signal: AbortSignal }) => Promise<void>;
  /** Takes down what is left; takes the VM's lock itself. */
  onExit: (id: string) => Promise<void>;
  log: Logger;
}

/** Notices machines that end by themselves: the guest powered off, somebody killed the process. */
export class MachineWatch {
  readonly #options: MachineWatchOptions;
  readonly #stop = new AbortController();
  readonly #watched = new Map<string, Promise<void>>();

  constructor(options: MachineWatchOptions) {
    this.#options = options;
  }

  watch(id: string): void {
    const before = this.#watched.get(id) ?? Promise.resolve();
    const current = runOutsideOperation(() => before.then(() => this.#follow(id)));
    this.#watched.set(id, current);
    void current.then(() => {
      if (this.#watched.get(id) === current) this.#watched.delete(id);
    });
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#watched.values());
  }

  async #follow(id: string): Promise<void> {
    const { signal } = this.#stop;
    try {
      await this.#options.waitForExit(id, { signal });
      if (!signal.aborted) await this.#options.onExit(id);
    } catch (error) {
      if (!signal.aborted)
        this.#options.log.error({ vm: id, error: messageOf(error) }, 'cannot settle a machine that ended');
    }
  }
}
