import { isDeepStrictEqual } from 'node:util';
import type { Abortable } from '#base/abort.ts';
import { deepFreeze } from '#base/deep-freeze.ts';
import { UserError } from '#contract/errors.ts';
import type { VmState } from '#contract/owner/vm.ts';
import type { DamagedVmRow, VmRecord, VmRepository } from '#store/vm-repository.ts';
import { findVmByReference } from './find-vm.ts';
import { mayFollow } from './vm-states.ts';

type Patch = Partial<Pick<VmRecord, 'startedAtMs' | 'stoppedAtMs' | 'touchedAtMs' | 'lastError'>>;
/** What may change whatever the state. */
type Change = Partial<
  Pick<VmRecord, 'name' | 'spec' | 'hostAddress' | 'published' | 'touchedAtMs' | 'lastError'>
>;

/** What became of a record: `before` is missing when it is new, `after` when it was removed. */
export interface RecordNews {
  before?: VmRecord;
  after?: VmRecord;
}

export interface VmRegistryOptions {
  /** Told of each change after it was stored; must not throw. */
  onChange?: (news: RecordNews) => void;
}

/** The records, with the state machine held and with news for those who wait. Nobody else writes them while the daemon runs. */
export class VmRegistry {
  readonly #repository: VmRepository;
  readonly #onChange: (news: RecordNews) => void;
  /** As they were read or written last. To read one anew takes longer than all else that is done for a ping. */
  readonly #known = new Map<string, VmRecord>();
  /** Of VMs that have no record yet. */
  readonly #heldNames = new Set<string>();
  #news = Promise.withResolvers<void>();

  constructor(repository: VmRepository, { onChange = () => {} }: VmRegistryOptions = {}) {
    this.#repository = repository;
    this.#onChange = onChange;
  }

  list(): VmRecord[] {
    return this.#repository.list().map((record) => this.#known.get(record.id) ?? this.#remember(record));
  }

  /** As the store has them, for those who look whether it is right. */
  reread(): VmRecord[] {
    this.#known.clear();
    return this.list();
  }

  usersOf(imageId: string): VmRecord[] {
    return this.list().filter((record) => record.imageId === imageId);
  }

  find(id: string): VmRecord | undefined {
    return this.#known.get(id) ?? this.#remember(this.#repository.find(id));
  }

  findByName(name: string): VmRecord | undefined {
    for (const record of this.#known.values()) if (record.name === name) return record;
    return this.#remember(this.#repository.findByName(name));
  }

  /**
   * The VM that a reference means. Who names one exactly does not pay for all the others.
   *
   * @throws UserError `USAGE` (empty), `VM_NOT_FOUND`, `VM_REFERENCE_AMBIGUOUS`
   */
  resolve(reference: string): VmRecord {
    const exact = this.find(reference) ?? this.findByName(reference);
    return exact ?? findVmByReference(this.list(), reference);
  }

  isNameTaken(name: string): boolean {
    return this.#heldNames.has(name) || this.findByName(name) !== undefined;
  }

  /** For a VM to come: nobody else is given the name until this is disposed of. */
  holdName(name: string): Disposable {
    this.#heldNames.add(name);
    return { [Symbol.dispose]: () => this.#heldNames.delete(name) };
  }

  /** @throws UserError `VM_NOT_FOUND` when it was deleted meanwhile */
  get(id: string): VmRecord {
    const record = this.find(id);
    if (record) return record;
    throw new UserError('VM_NOT_FOUND', `Cannot find VM "${id}": it was deleted`, { hint: 'banger vm list' });
  }

  /** @throws UserError `VM_NAME_TAKEN` */
  add(record: VmRecord): void {
    this.#repository.insert(record);
    this.#remember(record);
    this.#tell({ after: record });
  }

  transition(id: string, state: VmState, patch: Patch = {}): VmRecord {
    const record = this.get(id);
    if (record.state !== state && !mayFollow(record.state, state)) {
      throw new Error(`VM ${id} cannot go from ${record.state} to ${state}`);
    }
    return this.#store(record, { ...record, ...patch, state });
  }

  /** Changes what does not depend on the state. @throws UserError `VM_NAME_TAKEN` */
  change(id: string, change: Change): VmRecord {
    const record = this.get(id);
    const next = { ...record, ...change };
    if (next.name !== record.name && this.isNameTaken(next.name)) throw nameTaken(record.name, next.name);
    return this.#store(record, next);
  }

  remove(id: string): void {
    const before = this.find(id);
    this.#forget(id);
    this.#tell(before ? { before } : {});
  }

  /** Rows that `list` leaves out because they cannot be read. */
  listDamaged(): DamagedVmRow[] {
    return this.#repository.listDamaged();
  }

  /** Of a VM whose row cannot be read. */
  forgetDamaged(id: string): void {
    this.#forget(id);
    this.announce();
  }

  /** Wakes those who wait: a record changed, or something their condition looks at. */
  announce(): void {
    const news = this.#news;
    this.#news = Promise.withResolvers<void>();
    news.resolve();
  }

  #store(before: VmRecord, after: VmRecord): VmRecord {
    if (isDeepStrictEqual(before, after)) return before; // a store that cannot be written says the same
    this.#repository.update(after);
    this.#remember(after);
    this.#tell({ before, after });
    return after;
  }

  #remember<T extends VmRecord | undefined>(record: T): T {
    if (record) this.#known.set(record.id, deepFreeze(record));
    return record;
  }

  #forget(id: string): void {
    this.#repository.remove(id);
    this.#known.delete(id);
  }

  #tell(news: RecordNews): void {
    this.#onChange(news);
    this.announce();
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

/** Of a VM that was to get another name. */
export function nameTaken(name: string, wanted: string): UserError {
  return new UserError('VM_NAME_TAKEN', `Cannot rename "${name}": another VM is called "${wanted}"`, {
    hint: 'choose another name: banger vm list shows those that are taken',
  });
}
