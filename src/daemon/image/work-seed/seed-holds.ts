/** Who has which seed at the moment, and which of an image's was asked for last. */
export class SeedHolds {
  readonly #counts = new Map<string, number>();
  readonly #last = new Map<string, string>();

  take(imageId: string, seedId: string): { release: () => boolean } {
    this.#counts.set(seedId, (this.#counts.get(seedId) ?? 0) + 1);
    this.#last.set(imageId, seedId);
    let isHeld = true;
    /** Whether nobody has it any more. */
    const release = () => {
      if (!isHeld) return false;
      isHeld = false;
      const left = (this.#counts.get(seedId) ?? 0) - 1;
      if (left > 0) this.#counts.set(seedId, left);
      else this.#counts.delete(seedId);
      return left <= 0;
    };
    return { release };
  }

  has(seedId: string): boolean {
    return this.#counts.has(seedId);
  }

  lastOf(imageId: string): string | undefined {
    return this.#last.get(imageId);
  }
}
