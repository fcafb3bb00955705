import type { BangerClient } from '#sdk/index.ts';
import { errorCode } from './error-code.ts';

/** What a VM was when nothing worked on it. */
export type Settled =
  { state: 'gone' } | { state: 'stopped' } | { state: 'running'; pid: number | undefined; bootId: string };

/** One of the VMs in a storm: at most one with this name at a time. */
export class StormVm {
  readonly name: string;
  /** While it is there, as far as is known. */
  id: string | undefined;
  /** Known while no operation is on its way. */
  settled: Settled | undefined = { state: 'gone' };
  /** What was written into it and synced; undefined: not known. */
  marker: string | undefined;
  #inFlight = 0;
  #changes = 0;

  constructor(name: string) {
    this.name = name;
  }

  /** The names that it may have. */
  get names(): readonly [string, string] {
    return [this.name, `${this.name}-renamed`];
  }

  /** What the API knows it by. */
  get reference(): string {
    return this.id ?? this.name;
  }

  async during(work: () => Promise<void>): Promise<void> {
    this.#inFlight += 1;
    this.#changes += 1;
    this.settled = undefined;
    try {
      await work();
    } finally {
      this.#inFlight -= 1;
    }
  }

  /** Looks what it is, unless something works on it. */
  async settle(client: BangerClient, signal: AbortSignal): Promise<void> {
    const changes = this.#changes;
    if (this.#inFlight > 0) return;
    const seen = await this.#look(client, signal);
    if (changes === this.#changes) this.settled = seen;
  }

  /** After the daemon was gone: what is called like this is this one. */
  find(vms: readonly { id: string; name: string }[]): void {
    this.id = vms.find(({ name }) => this.names.includes(name))?.id;
    if (this.id === undefined) this.marker = undefined;
  }

  async #look(client: BangerClient, signal: AbortSignal): Promise<Settled | undefined> {
    if (this.id === undefined) return { state: 'gone' };
    try {
      const { state, pid } = await client.vms.get(this.id, { signal });
      if (state === 'stopped') return { state };
      if (state !== 'running') return undefined;
      const { bootId } = await client.vms.ping(this.id, { signal });
      return { state, pid, bootId };
    } catch (error) {
      if (errorCode(error) === 'VM_NOT_FOUND') return { state: 'gone' };
      return undefined; // it is on its way somewhere else, or the daemon is gone
    }
  }
}
