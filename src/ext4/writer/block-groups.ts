import type { FileHandle } from 'node:fs/promises';
import { writeWhole } from '#host/files.ts';
import { crc32c } from './crc32c.ts';
import { GROUP_FLAG, GroupDescriptor } from './group-descriptor.ts';
import type { Superblock } from './superblock.ts';

/** The blocks and inodes of a new file system that are still free, by groups; what is taken is in memory until `save`. */
export class BlockGroups {
  readonly #file: FileHandle;
  readonly #superblock: Superblock;
  readonly #table: Buffer;
  readonly #descriptors: GroupDescriptor[];
  /** Of groups in which blocks were taken or given back. */
  readonly #bitmaps = new Map<number, Buffer>();

  private constructor(file: FileHandle, superblock: Superblock, table: Buffer) {
    this.#file = file;
    this.#superblock = superblock;
    this.#table = table;
    const { descriptorBytes, groups } = superblock;
    this.#descriptors = Array.from(
      { length: groups },
      (_, group) =>
        new GroupDescriptor(table.subarray(group * descriptorBytes, (group + 1) * descriptorBytes)),
    );
  }

  static async read(file: FileHandle, superblock: Superblock): Promise<BlockGroups> {
    const { groups, descriptorBytes, blockBytes } = superblock;
    const table = Buffer.alloc(groups * descriptorBytes);
    await file.read(table, 0, table.length, blockBytes); // behind the block that has the superblock in it
    return new BlockGroups(file, superblock, table);
  }

  /** Where the inode stands in the file. */
  inodeOffset(number: number): number {
    const { inodesPerGroup, inodeBytes, blockBytes } = this.#superblock;
    const group = Math.floor((number - 1) / inodesPerGroup);
    const table = this.#descriptors[group]?.inodeTable ?? 0;
    return table * blockBytes + ((number - 1) % inodesPerGroup) * inodeBytes;
  }

  /** One bit for each block of a group, 1 where it is taken. */
  async bitmapOf(group: number): Promise<Buffer> {
    const known = this.#bitmaps.get(group);
    if (known) return known;
    const { blockBytes } = this.#superblock;
    const descriptor = this.#descriptorOf(group);
    const bitmap = Buffer.alloc(blockBytes);
    if (descriptor.has(GROUP_FLAG.blocksUnset)) this.#markMetadata(bitmap, group);
    else await this.#file.read(bitmap, 0, blockBytes, descriptor.blockBitmap * blockBytes);
    this.#bitmaps.set(group, bitmap);
    return bitmap;
  }

  /** Makes blocks of one group free again. */
  async release(block: number, length: number): Promise<void> {
    const group = Math.floor(block / this.#superblock.blocksPerGroup);
    const bitmap = await this.bitmapOf(group);
    const first = block - group * this.#superblock.blocksPerGroup;
    for (let bit = first; bit < first + length; bit += 1) {
      bitmap[bit >> 3] = (bitmap[bit >> 3] ?? 0) & ~(1 << (bit & 7));
    }
  }

  /** Writes what was taken. Inodes are taken in a row from the first one on; `folders` counts those of each group. */
  async save(taken: { lastInode: number; folders: readonly number[] }): Promise<void> {
    for (const [group, bitmap] of this.#bitmaps) await this.#saveBlocks(group, bitmap);
    const { inodesPerGroup, blockBytes } = this.#superblock;
    for (let group = 0; group * inodesPerGroup < taken.lastInode; group += 1) {
      const used = Math.min(inodesPerGroup, taken.lastInode - group * inodesPerGroup);
      await this.#saveInodes(group, used, taken.folders[group] ?? 0);
    }
    this.#descriptors.forEach((descriptor, group) => descriptor.sign(group, this.#superblock));
    await writeWhole(this.#file, this.#table, blockBytes);
  }

  async #saveBlocks(group: number, bitmap: Buffer): Promise<void> {
    const { blockBytes, blocksPerGroup, checksumSeed } = this.#superblock;
    const descriptor = this.#descriptorOf(group);
    const used = bitmap.subarray(0, blocksPerGroup / 8);
    descriptor.clear(GROUP_FLAG.blocksUnset);
    descriptor.setBlocks({ free: countZeroes(used), bitmapChecksum: crc32c(checksumSeed, used) });
    await writeWhole(this.#file, bitmap, descriptor.blockBitmap * blockBytes);
  }

  async #saveInodes(group: number, used: number, folders: number): Promise<void> {
    const { blockBytes, inodesPerGroup, checksumSeed } = this.#superblock;
    const descriptor = this.#descriptorOf(group);
    const bitmap = Buffer.alloc(blockBytes);
    setBits(bitmap, 0, used);
    setBits(bitmap, inodesPerGroup, blockBytes * 8); // behind the last one nothing is free
    descriptor.clear(GROUP_FLAG.inodesUnset);
    const bitmapChecksum = crc32c(checksumSeed, bitmap.subarray(0, inodesPerGroup / 8));
    const free = inodesPerGroup - used;
    descriptor.setInodes({ free, unused: free, folders, bitmapChecksum });
    await writeWhole(this.#file, bitmap, descriptor.inodeBitmap * blockBytes);
  }

  /** mke2fs leaves the bitmap of a group out where nothing but metadata is in it. */
  #markMetadata(bitmap: Buffer, group: number): void {
    const { blocksPerGroup, blocks, blockBytes, inodesPerGroup, inodeBytes } = this.#superblock;
    const first = group * blocksPerGroup;
    const mark = (block: number, length: number) => {
      const from = Math.max(block - first, 0);
      setBits(bitmap, from, Math.min(block + length - first, blocksPerGroup));
    };
    if (hasBackup(group)) {
      const tableBlocks = Math.ceil(this.#table.length / blockBytes);
      mark(first, 1 + tableBlocks + this.#superblock.reservedDescriptorBlocks);
    }
    const inodeBlocks = Math.ceil((inodesPerGroup * inodeBytes) / blockBytes);
    for (const descriptor of this.#descriptors) {
      mark(descriptor.blockBitmap, 1);
      mark(descriptor.inodeBitmap, 1);
      mark(descriptor.inodeTable, inodeBlocks);
    }
    setBits(bitmap, Math.min(blocks - first, blocksPerGroup), blockBytes * 8);
  }

  #descriptorOf(group: number): GroupDescriptor {
    const descriptor = this.#descriptors[group];
    if (!descriptor) throw new RangeError(`the file system has no group ${group}`);
    return descriptor;
  }
}

/** With the feature sparse_super: the first two groups, and those whose number is a power of 3, 5 or 7. */
function hasBackup(group: number): boolean {
  if (group <= 1) return true;
  return [3, 5, 7].some((base) => {
    let power = base;
    while (power < group) power *= base;
    return power === group;
  });
}

export function setBits(bitmap: Buffer, from: number, to: number): void {
  for (let bit = from; bit < to;) {
    if (bit % 8 === 0 && bit + 8 <= to) {
      bitmap[bit / 8] = 0xff;
      bit += 8;
    } else {
      bitmap[bit >> 3] = (bitmap[bit >> 3] ?? 0) | (1 << (bit & 7));
      bit += 1;
    }
  }
}

function countZeroes(bitmap: Buffer): number {
  let ones = 0;
  for (const byte of bitmap) for (let rest = byte; rest > 0; rest &= rest - 1) ones += 1;
  return bitmap.length * 8 - ones;
}
