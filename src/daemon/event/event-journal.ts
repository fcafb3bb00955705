import { raceAbort, type Abortable } from '#base/abort.ts';
import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { isUserError } from '#contract/errors.ts';
import type { VmEvent } from '#contract/owner/event.ts';
import type { EventFilter, EventRecord, EventRepository } from '#store/event-repository.ts';
import type { EventHandlers, EventSelection } from '../http/services.ts';
import type { RecordNews } from '../vm/vm-registry.ts';
import { describeChange, type ChangeDescription } from './describe-change.ts';

export interface EventJournalOptions {
  repository: EventRepository;
  clock: Clock;
  log: Logger;
  /** The id of a VM that is there. @throws UserError `VM_NOT_FOUND`, `VM_REFERENCE_AMBIGUOUS` */
  resolveVm: (reference: string) => string;
  /** How many of the newest are kept. */
  keep?: number;
}

const KEEP = 10_000;
/** Pruned so often that a tenth more than what is kept is there at most. */
const PRUNE_SHARE = 0.1;

/** Keeps what happens to VMs, and tells those who follow. */
export class EventJournal implements EventHandlers {
  readonly #options: EventJournalOptions;
  readonly #keep: number;
  #news = Promise.withResolvers<void>();
  #untilPruning = 0;

  constructor(options: EventJournalOptions) {
    this.#options = options;
    this.#keep = options.keep ?? KEEP;
  }

  /** Never throws: a change that was stored is not undone because nobody can be told of it. */
  record(change: RecordNews): void {
    const vm = change.after ?? change.before;
    if (vm) this.note(vm, describeChange(change));
  }

  /** Keeps what is no change of a record. Never throws. */
  note(vm: { id: string; name: string }, what: readonly ChangeDescription[]): void {
    try {
      for (const { kind, detail } of what) {
        const atMs = this.#options.clock.now();
        this.#options.repository.insert({ atMs, vmId: vm.id, vmName: vm.name, kind, detail });
        this.#pruneNowAndThen();
      }
    } catch (error) {
      this.#options.log.warn({ vm: vm.id, error: messageOf(error) }, 'cannot record an event');
    }
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }

  list(selection: EventSelection): VmEvent[] {
    return this.#options.repository.list(this.#toFilter(selection)).map(viewEvent);
  }

  follow(selection: EventSelection, options: Abortable): AsyncIterable<VmEvent> {
    return this.#follow(this.#toFilter(selection), options);
  }

  async *#follow(filter: EventFilter, { signal }: Abortable): AsyncGenerator<VmEvent, void, undefined> {
    const { repository } = this.#options;
    let current = filter;
    for (;;) {
      signal?.throwIfAborted();
      const news = this.#news.promise;
      const events = repository.list(current);
      // What the limit leaves out at first is not to come later.
      current = { vmIds: filter.vmIds, after: repository.newestSeq() };
      for (const event of events) yield viewEvent(event);
      await raceAbort(news, signal);
    }
  }

  #toFilter({ vms, ...rest }: EventSelection): EventFilter {
    if (!vms) return rest;
    return { ...rest, vmIds: [...new Set(vms.flatMap((reference) => this.#idsOf(reference)))] };
  }

  #idsOf(reference: string): string[] {
    try {
      return [this.#options.resolveVm(reference)];
    } catch (error) {
      const gone = this.#options.repository.findVmIds(reference);
      if (!isUserError(error, 'VM_NOT_FOUND') || gone.length === 0) throw error;
      return gone;
    }
  }

  #pruneNowAndThen(): void {
    this.#untilPruning -= 1;
    if (this.#untilPruning > 0) return;
    this.#options.repository.prune(this.#keep);
    this.#untilPruning = Math.ceil(this.#keep * PRUNE_SHARE);
  }
}

function viewEvent({ seq, atMs, kind, vmId, vmName, detail }: EventRecord): VmEvent {
  return { seq, at: new Date(atMs).toISOString(), kind, vm: { id: vmId, name: vmName }, ...detail };
}
