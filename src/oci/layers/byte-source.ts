import type { Gathering } from './gathering.ts';
import { LayerFault } from './layer-fault.ts';

const NOTHING = Buffer.alloc(0);

/** Takes exact numbers of bytes from a stream of chunks; disposing it closes the stream. */
export class ByteSource implements AsyncDisposable {
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #taken: Gathering | undefined;
  #chunk: Buffer = NOTHING;

  /** @param taken gets a copy of what is taken, and not of what is skipped */
  constructor(stream: AsyncIterable<Buffer>, taken?: Gathering) {
    this.#taken = taken;
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  /** Exactly `length` bytes, or undefined where the stream ends before the first of them. */
  async take(length: number): Promise<Buffer | undefined> {
    const bytes = await this.#takeWhole(length);
    if (this.#taken && bytes) await this.#taken.add(bytes);
    return bytes;
  }

  async #takeWhole(length: number): Promise<Buffer | undefined> {
    if (this.#chunk.length >= length) return this.#split(length);
    const parts: Buffer[] = [];
    let missing = length;
    while (missing > 0) {
      if (!(await this.#fill())) {
        if (missing === length) return undefined;
        throw endsTooEarly();
      }
      const part = this.#split(Math.min(missing, this.#chunk.length));
      parts.push(part);
      missing -= part.length;
    }
    return Buffer.concat(parts, length);
  }

  /** The next `length` bytes, in whatever pieces they come. */
  async *pieces(length: number): AsyncGenerator<Buffer> {
    for (let missing = length; missing > 0;) {
      if (!(await this.#fill())) throw endsTooEarly();
      const piece = this.#split(Math.min(missing, this.#chunk.length));
      missing -= piece.length;
      yield piece;
    }
  }

  /** The same without a generator, which a hundred thousand small files would notice. */
  async deliver(
    length: number,
    take: (piece: Buffer, offset: number) => Promise<void> | void,
  ): Promise<void> {
    for (let done = 0; done < length;) {
      if (!(await this.#fill())) throw endsTooEarly();
      const piece = this.#split(Math.min(length - done, this.#chunk.length));
      await take(piece, done);
      done += piece.length;
    }
  }

  async skip(length: number): Promise<void> {
    for (let missing = length; missing > 0;) {
      if (!(await this.#fill())) throw endsTooEarly();
      missing -= this.#split(Math.min(missing, this.#chunk.length)).length;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#chunks.return?.();
  }

  async #fill(): Promise<boolean> {
    while (this.#chunk.length === 0) {
      const next = await this.#chunks.next();
      if (next.done) return false;
      this.#chunk = next.value;
    }
    return true;
  }

  #split(length: number): Buffer {
    const part = this.#chunk.subarray(0, length);
    this.#chunk = this.#chunk.subarray(length);
    return part;
  }
}

const endsTooEarly = () => new LayerFault('the tar ends in the middle of a member');
