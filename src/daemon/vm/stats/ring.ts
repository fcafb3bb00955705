/** The newest so many of what is pushed. */
export class Ring<T> {
  readonly #capacity: number;
  readonly #items: T[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  push(item: T): void {
    this.#items.push(item);
    if (this.#items.length > this.#capacity) this.#items.shift();
  }

  /** The newest `count`, oldest first. */
  last(count: number): T[] {
    return count === 0 ? [] : this.#items.slice(-count);
  }

  findNewest(matches: (item: T) => boolean): T | undefined {
    return this.#items.findLast(matches);
  }
}
