import type { Extent } from './extents.ts';
import type { NodeInode } from './file-tree.ts';
import type { SequentialWriter } from './sequential-writer.ts';

/** Where the content of each file goes. */
export class ContentPlaces {
  readonly blockBytes: number;
  /** Of most files just the first block: they lie in a row. */
  readonly #places = new Map<NodeInode, number | readonly Extent[]>();

  constructor(blockBytes: number) {
    this.blockBytes = blockBytes;
  }

  set(inode: NodeInode, extents: readonly Extent[]): void {
    const [first] = extents;
    if (first) this.#places.set(inode, extents.length === 1 ? first.start : extents);
  }

  write(
    writer: SequentialWriter,
    { inode, offset, piece }: { inode: NodeInode; offset: number; piece: Buffer },
  ): Promise<void> | undefined {
    const place = this.#places.get(inode);
    if (place === undefined || offset + piece.length > inode.size)
      throw new RangeError('content that no place was made for');
    if (typeof place === 'number') return writer.write(place * this.blockBytes + offset, piece);
    return this.#writeSplit(writer, place, { offset, piece });
  }

  async #writeSplit(
    writer: SequentialWriter,
    extents: readonly Extent[],
    { offset, piece }: { offset: number; piece: Buffer },
  ): Promise<void> {
    for (const { logical, start, length } of extents) {
      const begin = logical * this.blockBytes;
      const from = Math.max(offset, begin);
      const to = Math.min(offset + piece.length, begin + length * this.blockBytes);
      if (from >= to) continue;
      await writer.write(start * this.blockBytes + from - begin, piece.subarray(from - offset, to - offset));
    }
  }
}
