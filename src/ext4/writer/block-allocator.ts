import { UserError } from '#contract/errors.ts';
import { MAX_EXTENT_BLOCKS, type Extent } from './extents.ts';
import type { Superblock } from './superblock.ts';
import { setBits, type BlockGroups } from './block-groups.ts';

/** Gives out free blocks from the first one on, so that what is written in a row lies in a row. */
export class BlockAllocator {
  readonly #groups: BlockGroups;
  readonly #superblock: Superblock;
  #bitmap: Buffer | undefined;
  #next = 0;
  #taken = 0;

  constructor(groups: BlockGroups, superblock: Superblock) {
    this.#groups = groups;
    this.#superblock = superblock;
  }

  /** How many were given out. */
  get taken(): number {
    return this.#taken;
  }

  /** @throws UserError `DISK_TOO_SMALL` */
  async take(blocks: number): Promise<Extent[]> {
    const extents: Extent[] = [];
    for (let logical = 0; logical < blocks;) {
      const { start, length } = await this.#takeRun(Math.min(blocks - logical, MAX_EXTENT_BLOCKS));
      const last = extents.at(-1);
      const isNext = last !== undefined && last.start + last.length === start;
      if (isNext && last.length + length <= MAX_EXTENT_BLOCKS) last.length += length;
      else extents.push({ logical, start, length });
      logical += length;
    }
    this.#taken += blocks;
    return extents;
  }

  /** The next free blocks in a row, at most so many, of one group. */
  async #takeRun(most: number): Promise<{ start: number; length: number }> {
    const { blocksPerGroup, blocks } = this.#superblock;
    for (; this.#next < blocks;) {
      const group = Math.floor(this.#next / blocksPerGroup);
      const first = group * blocksPerGroup;
      const bitmap = (this.#bitmap ??= await this.#groups.bitmapOf(group));
      const start = firstZero(bitmap, this.#next - first, blocksPerGroup);
      if (start === blocksPerGroup) {
        this.#next = first + blocksPerGroup;
        this.#bitmap = undefined;
        continue;
      }
      const length = zeroesFrom(bitmap, start, Math.min(most, blocksPerGroup - start));
      setBits(bitmap, start, start + length);
      this.#next = first + start + length;
      if (start + length === blocksPerGroup) this.#bitmap = undefined;
      return { start: first + start, length };
    }
    throw new UserError('DISK_TOO_SMALL', 'Cannot make the file system: its content does not fit into it', {
      hint: 'give it a larger size',
    });
  }
}

function firstZero(bitmap: Buffer, from: number, to: number): number {
  let bit = from;
  while (bit < to && isSet(bitmap, bit)) bit += bit % 8 === 0 && bitmap[bit / 8] === 0xff ? 8 : 1;
  return Math.min(bit, to);
}

function zeroesFrom(bitmap: Buffer, from: number, most: number): number {
  let length = 0;
  while (length < most && !isSet(bitmap, from + length)) {
    length += (from + length) % 8 === 0 && bitmap[(from + length) / 8] === 0 ? 8 : 1;
  }
  return Math.min(length, most);
}

function isSet(bitmap: Buffer, bit: number): boolean {
  return ((bitmap[bit >> 3] ?? 0) & (1 << (bit & 7))) !== 0;
}
