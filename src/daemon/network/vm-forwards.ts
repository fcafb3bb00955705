import { messageOf } from '#base/errors.ts';
import { delay } from '#base/backoff.ts';
import type { Abortable } from '#base/abort.ts';
import type { Logger } from '#base/log.ts';
import { isUserError } from '#contract/errors.ts';
import type { ListeningPort } from '#contract/guest/port-messages.ts';
import type { PublishedPort } from '#contract/owner/vm.ts';
import type { AgentClient } from '#guest/agent-client.ts';
import { dialGuest } from './dial-guest.ts';
import { ForwardSet, type ForwardState, type WantedForward } from './forward-set.ts';
import { groupListeners, targetOf, type GuestListener, type GuestTarget } from './guest-listeners.ts';
import { OpenConnections } from './open-connections.ts';

export interface VmForwardsOptions {
  hostAddress: string | null;
  agent: (options: Abortable) => Promise<AgentClient>;
  /** Somebody connects, or has been connected for a while. */
  onUse: () => void;
  log: Logger;
}

/** `curl` must work within a second of the guest listening, also on a busy host. */
const POLL_MS = 300;
const QUIET_POLL_MS = 600;
/** A guest whose ports did not change for so long is asked less often. */
const QUIET_AFTER_MS = 60_000;
const ANSWER_MS = 5000;
const NOTE_USE_MS = 10_000;
export const MAX_FORWARDS = 256;
/** Of the agent's 256 channels. */
const MAX_CONNECTIONS = 128;

/** The ports of the host that lead into one VM, from its start to its end. */
export class VmForwards {
  readonly #options: VmForwardsOptions;
  readonly #stop = new AbortController();
  readonly #connections = new OpenConnections(MAX_CONNECTIONS);
  readonly #automatic: ForwardSet;
  readonly #published: ForwardSet;
  /** By protocol and port. */
  #targets = new Map<string, GuestTarget>();
  #listeners: readonly GuestListener[] = [];
  #summary = '';
  #wanted: readonly WantedForward[] = [];
  #wantedPublished: readonly WantedForward[] = [];
  #working: Promise<void> = Promise.resolve();
  #changedAt = performance.now();
  #usedAt = Number.NEGATIVE_INFINITY;

  constructor(options: VmForwardsOptions) {
    this.#options = options;
    const { agent, log } = options;
    const connections = this.#connections;
    const forwardOptions = ({ protocol, guestPort }: WantedForward) => {
      const anywhere = { port: guestPort, hosts: ['127.0.0.1', '::1'] };
      const target = () => this.#targets.get(`${protocol} ${guestPort}`) ?? anywhere;
      const dial = (options: Abortable) => {
        this.#noteUse();
        return agent(options);
      };
      return { dialer: dialGuest(dial, target), connections, log };
    };
    this.#automatic = new ForwardSet(forwardOptions);
    this.#published = new ForwardSet(forwardOptions);
  }

  /** From now on the guest is asked what it listens on. One that `isNew` is left alone for its first command, and listens on nothing yet. */
  watch({ isNew }: { isNew: boolean }): void {
    void this.#poll(isNew ? POLL_MS : 0);
  }

  /** Resolves when the host listens on all of them that it can. */
  async publish(ports: readonly PublishedPort[]): Promise<void> {
    this.#wantedPublished = ports.map(wantedOf);
    await this.#apply();
  }

  publishedState(port: PublishedPort): ForwardState {
    return this.#published.stateOf(wantedOf(port)) ?? { active: false, reason: 'the VM is just starting' };
  }

  /** Undefined for what is not forwarded by itself. */
  automaticState(port: number): ForwardState | undefined {
    const wanted = this.#wanted.find(({ guestPort }) => guestPort === port);
    return wanted && this.#automatic.stateOf(wanted);
  }

  /** Forwards what the guest listens on now, and nothing else. */
  async observe(ports: readonly ListeningPort[]): Promise<void> {
    const listeners = groupListeners(ports);
    const summary = summaryOf(listeners);
    if (summary !== this.#summary) {
      this.#summary = summary;
      this.#listeners = listeners;
      this.#changedAt = performance.now();
      this.#retarget();
    }
    await this.#apply();
  }

  /** Idempotent. */
  close(): void {
    this.#stop.abort();
    this.#automatic.close();
    this.#published.close();
    this.#connections.close();
  }

  #retarget(): void {
    const { hostAddress } = this.#options;
    const reachable = this.#listeners.flatMap((listener) => {
      const target = targetOf(listener);
      return target ? [{ ...target, protocol: listener.protocol }] : [];
    });
    this.#targets = new Map(reachable.map((target) => [`${target.protocol} ${target.port}`, target]));
    if (hostAddress === null) return;
    this.#wanted = reachable
      .filter(({ protocol }) => protocol === 'tcp')
      .slice(0, MAX_FORWARDS)
      .map(({ protocol, port }) => ({ protocol, host: { address: hostAddress, port }, guestPort: port }));
  }

  /** One at a time, in the order of the calls. */
  #apply(): Promise<void> {
    const apply = async () => {
      await this.#published.apply(this.#wantedPublished);
      await this.#automatic.apply(this.#wanted);
    };
    const next = this.#working.then(apply);
    this.#working = next.catch(() => {}); // who called is told
    return next;
  }

  #noteUse(): void {
    if (performance.now() - this.#usedAt < NOTE_USE_MS) return;
    this.#usedAt = performance.now();
    this.#options.onUse();
  }

  /** Ends early when nobody watches any more, which the caller sees at the signal. */
  async #pause(ms: number): Promise<void> {
    await delay(ms, { signal: this.#stop.signal }).catch(() => {});
  }

  async #poll(afterMs: number): Promise<void> {
    const { agent, log } = this.#options;
    const { signal } = this.#stop;
    await this.#pause(afterMs);
    while (!signal.aborted) {
      if (this.#connections.count > 0) this.#noteUse();
      try {
        const client = await agent({ signal });
        const ports = await client.ports({ withoutOwners: true, signal: AbortSignal.timeout(ANSWER_MS) });
        if (!signal.aborted) await this.observe(ports);
      } catch (error) {
        if (signal.aborted) return;
        const level = isUserError(error) ? 'debug' : 'error';
        log[level]({ error: messageOf(error) }, 'the ports of the guest are not known');
      }
      const isQuiet = performance.now() - this.#changedAt > QUIET_AFTER_MS;
      await this.#pause(isQuiet ? QUIET_POLL_MS : POLL_MS);
    }
  }
}

function wantedOf({ protocol, hostAddress, hostPort, guestPort }: PublishedPort): WantedForward {
  return { protocol, host: { address: hostAddress, port: hostPort }, guestPort };
}

function summaryOf(listeners: readonly GuestListener[]): string {
  return listeners
    .map(({ protocol, port, addresses }) => `${protocol} ${port} ${addresses.join(' ')}`)
    .join('\n');
}
