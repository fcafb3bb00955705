import type { Abortable } from '#base/abort.ts';
import { UserError } from '#contract/errors.ts';
import type { VmState } from '#contract/owner/vm.ts';
import type { VmRecord, VmRepository } from '#store/vm-repository.ts';
import { mayFollow } from './vm-states.ts';

type Patch = Partial<Pick<VmRecord, 'startedAtMs' | 'stoppedAtMs' | 'lastError'>>;

/** The records, with the state machine held and with news for those who wait. */
export class VmRegistry {
  readonly #repository: VmRepository;
  #news = Promise.withResolvers<void>();

  constructor(repository: VmRepository) {
    this.#repository = repository;
  }

  list(): VmRecord[] {
    return this.#repository.list();
  }

  find(id: string): VmRecord | undefined {
    return this.#repository.find(id);
  }

  isNameTaken(name: string): boolean {
    return this.#repository.findByName(name) !== undefined;
  }

  /** @throws UserError `VM_NOT_FOUND` when it was deleted meanwhile */
  get(id: string): VmRecord {
    const record = this.#repository.find(id);
    if (record) return record;
    throw new UserError('VM_NOT_FOUND', `Cannot find VM "${id}": it was deleted`, { hint: 'banger vm list' });
  }

  /** @throws UserError `VM_NAME_TAKEN` */
  add(record: VmRecord): void {
    this.#repository.insert(record);
    this.announce();
  }

  transition(id: string, state: VmState, patch: Patch = {}): VmRecord {
    const record = this.get(id);
    if (record.state !== state && !mayFollow(record.state, state)) {
      throw new Error(`VM ${id} cannot go from ${record.state} to ${state}`);
    }
    const next = { ...record, ...patch, state };
    this.#repository.update(next);
    this.announce();
    return next;
  }

  remove(id: string): void {
    this.#repository.remove(id);
    this.announce();
  }

  /** Wakes those who wait: a record changed, or something their condition looks at. */
  announce(): void {
    const news = this.#news;
    this.#news = Promise.withResolvers<void>();
    news.resolve();
  }

  /** Asks `probe` now and after each change until it answers. */
  async waitUntil<T>(probe: () => T | undefined, { signal }: Abortable = {}): Promise<T> {
    const aborted = Promise.withResolvers<never>();
    aborted.promise.catch(() => {}); // only raced against
    const onAbort = () => aborted.reject(signal?.reason as Error);
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      for (;;) {
        signal?.throwIfAborted();
        const news = this.#news.promise;
        const answer = probe();
        if (answer !== undefined) return answer;
        await Promise.race([news, aborted.promise]);
      }
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }
}
