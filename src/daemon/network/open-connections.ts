/** The connections into one VM, bounded so that its agent keeps channels for commands. */
export class OpenConnections {
  readonly #limit: number;
  readonly #cuts = new Set<() => void>();
  #closed = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get count(): number {
    return this.#cuts.size;
  }

  /** Takes one more, which `cut` ends. Undefined when there is no room; otherwise call the answer when it is over, once or more. */
  admit(cut: () => void): (() => void) | undefined {
    if (this.#closed || this.#cuts.size >= this.#limit) return undefined;
    this.#cuts.add(cut);
    return () => this.#cuts.delete(cut);
  }

  /** Ends all, and takes nobody more. */
  close(): void {
    this.#closed = true;
    for (const cut of [...this.#cuts]) cut();
    this.#cuts.clear();
  }
}
