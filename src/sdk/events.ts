import type { Abortable } from '#base/abort.ts';
import { UserError } from '#contract/errors.ts';
import type { VmEvent } from '#contract/owner/event.ts';
import { API_PREFIX } from '#contract/version.ts';
import { readBody } from './response.ts';
import type { Transport } from './transport.ts';

export interface EventsOptions extends Abortable {
  /** Only of these VMs: references; of one that is gone its full name or id. */
  vms?: readonly string[];
  /** None that happened before. */
  since?: Date;
  /** Only those after this sequence number. */
  after?: number;
  /** Only so many of the newest. */
  limit?: number;
}

/** What happened to VMs. The daemon keeps the newest 10,000 events, also of VMs that are gone. */
export class EventsClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Oldest first. @throws UserError `VM_NOT_FOUND`, `VM_REFERENCE_AMBIGUOUS` */
  async list(options: EventsOptions = {}): Promise<VmEvent[]> {
    const { signal } = options;
    const response = await this.#transport.send({ method: 'GET', path: eventsPath(options), signal });
    const load = async () => (await import('#contract/owner/event.ts')).vmEventListSchema;
    return (await readBody(response, load)).events;
  }

  /**
   * Those that are there, oldest first, then each as it happens, without end; none is left out.
   * Does not connect again by itself: follow again with `after` the last one's `seq`, and none is missed or repeated.
   *
   * @throws UserError `VM_NOT_FOUND`, `VM_REFERENCE_AMBIGUOUS`; `DAEMON_UNREACHABLE` when the daemon stops
   */
  async *follow(options: EventsOptions = {}): AsyncGenerator<VmEvent, never, undefined> {
    const { signal } = options;
    const path = eventsPath(options, { follow: 'true' });
    const response = await this.#transport.send({ method: 'GET', path, signal });
    const { readVmEvents } = await import('./vm-events.ts');
    try {
      yield* readVmEvents(response);
    } catch (error) {
      signal?.throwIfAborted();
      throw connectionLost(error);
    } finally {
      response.destroy();
    }
    signal?.throwIfAborted();
    throw connectionLost(undefined);
  }
}

function eventsPath({ vms, since, after, limit }: EventsOptions, more: Record<string, string> = {}): string {
  const query = new URLSearchParams(more);
  for (const vm of vms ?? []) query.append('vm', vm);
  if (since !== undefined) query.set('since', since.toISOString());
  if (after !== undefined) query.set('after', String(after));
  if (limit !== undefined) query.set('limit', String(limit));
  return `${API_PREFIX}/events${query.size === 0 ? '' : `?${query.toString()}`}`;
}

function connectionLost(cause: unknown): UserError {
  return new UserError(
    'DAEMON_UNREACHABLE',
    'Cannot follow the events any longer: the daemon closed the connection',
    { hint: 'banger vm events -f starts it again', cause },
  );
}
