import type { Extent } from './extents.ts';
import type { FileTree, NodeInode } from './file-tree.ts';
import type { SequentialWriter } from './sequential-writer.ts';

/** Where the content of each file goes. */
export class ContentPlaces {
  readonly blockBytes: number;
  readonly #onContent: FileTree['onContent'];
  /** Of most files just the first block: they lie in a row. */
  readonly #places = new Map<NodeInode, number | readonly Extent[]>();

  constructor(blockBytes: number, onContent?: FileTree['onContent']) {
    this.blockBytes = blockBytes;
    this.#onContent = onContent;
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
    if (typeof place !== 'number') return this.#writeSplit(writer, place, { inode, offset, piece });
    const position = place * this.blockBytes + offset;
    this.#onContent?.({ inode, offset, position, piece });
    return writer.write(position, piece);
  }

  async #writeSplit(
    writer: SequentialWriter,
    extents: readonly Extent[],
    { inode, offset, piece }: { inode: NodeInode; offset: number; piece: Buffer },
  ): Promise<void> {
    for (const { logical, start, length } of extents) {
      const begin = logical * this.blockBytes;
      const from = Math.max(offset, begin);
      const to = Math.min(offset + piece.length, begin + length * this.blockBytes);
      if (from >= to) continue;
      const position = start * this.blockBytes + from - begin;
      const part = piece.subarray(from - offset, to - offset);
      this.#onContent?.({ inode, offset: from, position, piece: part });
      await writer.write(position, part);
    }
  }
}
