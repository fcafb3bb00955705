/** From here a payload is kept as the view that it is: it pins at most a few times its size of the chunk it lies in. */
const KEPT_AS_VIEW_BYTES = 8192;
const BLOCK_BYTES = 16_384;

/** The payload itself when it is large, otherwise a copy that pins nothing else. */
export function detached(payload: Uint8Array): Uint8Array {
  return payload.length >= KEPT_AS_VIEW_BYTES ? payload : Uint8Array.from(payload);
}

/**
 * Bytes that came and were not read yet. Takes memory in proportion to the bytes, whatever the size of the pieces:
 * a guest may send one byte a frame, each a view that would pin a whole chunk.
 */
export class PayloadQueue {
  readonly #pieces: Uint8Array[] = [];
  /** The last piece, while there is room behind it. */
  #block: { memory: Uint8Array; filled: number } | undefined;

  get isEmpty(): boolean {
    return this.#pieces.length === 0 && this.#block === undefined;
  }

  push(payload: Uint8Array): void {
    if (payload.length >= KEPT_AS_VIEW_BYTES) {
      this.#sealBlock();
      this.#pieces.push(payload);
      return;
    }
    let block = this.#block;
    if (!block || block.memory.length - block.filled < payload.length) {
      this.#sealBlock();
      block = { memory: new Uint8Array(BLOCK_BYTES), filled: 0 };
      this.#block = block;
    }
    block.memory.set(payload, block.filled);
    block.filled += payload.length;
  }

  shift(): Uint8Array | undefined {
    if (this.#pieces.length === 0) this.#sealBlock();
    return this.#pieces.shift();
  }

  /** Forgets everything; returns how many bytes that was. */
  clear(): number {
    this.#sealBlock();
    return this.#pieces.splice(0).reduce((sum, piece) => sum + piece.length, 0);
  }

  #sealBlock(): void {
    if (this.#block) this.#pieces.push(this.#block.memory.subarray(0, this.#block.filled));
    this.#block = undefined;
  }
}
