import type { PortProtocol } from '#contract/owner/vm.ts';
import type { Forward, ForwardOptions, HostPort } from './forward.ts';
import { explainHostPort } from './host-port-error.ts';
import { TcpForward } from './tcp-forward.ts';
import { UdpForward } from './udp-forward.ts';

export interface WantedForward {
  readonly protocol: PortProtocol;
  readonly host: HostPort;
  readonly guestPort: number;
}

/** `reason`: why the host does not listen there. */
export type ForwardState = { readonly active: true } | { readonly active: false; readonly reason: string };

interface Entry {
  wanted: WantedForward;
  forward: Forward | undefined;
  reason: string;
  retryAt: number;
}

const RETRY_MS = 2000;

/** Ports of the host that lead into one guest, made to be those that are wanted. Not for two calls at once. */
export class ForwardSet {
  readonly #optionsFor: (wanted: WantedForward) => ForwardOptions;
  readonly #entries = new Map<string, Entry>();
  #closed = false;

  constructor(optionsFor: (wanted: WantedForward) => ForwardOptions) {
    this.#optionsFor = optionsFor;
  }

  /** Closes what is not wanted any more, opens what is not open; what the host refuses is tried again at a later call. */
  async apply(wanted: readonly WantedForward[]): Promise<void> {
    const keys = new Map(wanted.map((one) => [keyOf(one), one]));
    for (const [key, { forward }] of [...this.#entries]) {
      if (keys.has(key)) continue;
      forward?.close();
      this.#entries.delete(key);
    }
    for (const [key, one] of keys) {
      if (this.#closed) return;
      const entry = this.#entries.get(key) ?? { wanted: one, forward: undefined, reason: '', retryAt: 0 };
      this.#entries.set(key, entry);
      // oxlint-disable-next-line no-await-in-loop -- a guest may want very many: never all at once
      if (!entry.forward && performance.now() >= entry.retryAt) await this.#open(entry);
    }
  }

  /** Undefined when it is not wanted. */
  stateOf(wanted: WantedForward): ForwardState | undefined {
    const entry = this.#entries.get(keyOf(wanted));
    if (!entry) return undefined;
    return entry.forward ? { active: true } : { active: false, reason: entry.reason };
  }

  /** Idempotent. */
  close(): void {
    this.#closed = true;
    for (const { forward } of this.#entries.values()) forward?.close();
    this.#entries.clear();
  }

  async #open(entry: Entry): Promise<void> {
    const { wanted } = entry;
    const options = this.#optionsFor(wanted);
    const driver = wanted.protocol === 'tcp' ? TcpForward : UdpForward;
    try {
      const forward = await driver.listen(wanted.host, options);
      // The VM may have gone down meanwhile.
      if (this.#closed) forward.close();
      else entry.forward = forward;
    } catch (error) {
      const failure = explainHostPort(error, wanted.host);
      if (!failure) throw error;
      entry.reason = failure.reason;
      entry.retryAt = performance.now() + RETRY_MS;
    }
  }
}

function keyOf({ protocol, host, guestPort }: WantedForward): string {
  return `${protocol} ${host.address} ${host.port} ${guestPort}`;
}
