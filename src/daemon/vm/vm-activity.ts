import type { Clock } from '#base/clock.ts';

export interface VmActivityOptions {
  clock: Clock;
  /** Keeps the time in the VM's record. False when there is no such VM any more. */
  persist: (id: string, touchedAtMs: number) => boolean;
}

interface Use {
  touchedAtMs: number;
  isWritten: boolean;
  writtenAtMs: number;
  /** Commands, shells and connections that are open. */
  open: number;
}

/** A crash of the daemon forgets at most so much; the store is not written more often than this for one VM. */
const WRITE_INTERVAL_MS = 60_000;

/** When each VM was last used, and whether it is being used: what decides whether it is stale. */
export class VmActivity {
  readonly #options: VmActivityOptions;
  readonly #uses = new Map<string, Use>();

  constructor(options: VmActivityOptions) {
    this.#options = options;
  }

  /** Somebody used the VM just now. */
  touch(id: string): void {
    const use = this.#useOf(id);
    use.touchedAtMs = this.#options.clock.now();
    use.isWritten = false;
    this.#writeIfOlder(id, WRITE_INTERVAL_MS);
  }

  /** Somebody uses the VM until the answer is disposed: a command runs, a shell or a connection is open. */
  enter(id: string): Disposable {
    this.touch(id);
    const use = this.#useOf(id);
    use.open += 1;
    let isOpen = true;
    return {
      [Symbol.dispose]: () => {
        if (!isOpen) return;
        isOpen = false;
        use.open -= 1;
        // The VM may have been forgotten meanwhile; then nobody wants to know any more.
        if (this.#uses.get(id) === use) this.touch(id);
      },
    };
  }

  isAnyInUse(): boolean {
    return [...this.#uses.values()].some(({ open }) => open > 0);
  }

  isInUse(id: string): boolean {
    return (this.#uses.get(id)?.open ?? 0) > 0;
  }

  /** Undefined when nobody used it since the daemon started. */
  lastTouchedAtMs(id: string): number | undefined {
    return this.#uses.get(id)?.touchedAtMs;
  }

  /** Writes what is due. A VM that is in use is used until now. */
  writeDue(): void {
    for (const [id, { open }] of this.#uses) {
      if (open > 0) this.touch(id);
      else this.#writeIfOlder(id, WRITE_INTERVAL_MS);
    }
  }

  /** Writes everything that is not written yet. */
  writeAll(): void {
    this.writeDue();
    for (const id of this.#uses.keys()) this.#writeIfOlder(id, 0);
  }

  #writeIfOlder(id: string, intervalMs: number): void {
    const use = this.#useOf(id);
    const now = this.#options.clock.now();
    if (use.isWritten || now - use.writtenAtMs < intervalMs) return;
    use.isWritten = true;
    use.writtenAtMs = now;
    if (!this.#options.persist(id, use.touchedAtMs)) this.#uses.delete(id);
  }

  #useOf(id: string): Use {
    const known = this.#uses.get(id);
    if (known) return known;
    const use = { touchedAtMs: 0, isWritten: true, writtenAtMs: 0, open: 0 };
    this.#uses.set(id, use);
    return use;
  }
}
