import { crc32c, crc32cOfNumber } from './crc32c.ts';
import type { Superblock } from './superblock.ts';

export const GROUP_FLAG = { inodesUnset: 1, blocksUnset: 2 };
const CHECKSUM_AT = 0x1e;

/** The descriptor of one group of blocks, over the bytes that hold it: 64 of them, as the feature 64bit has it. */
export class GroupDescriptor {
  readonly bytes: Buffer;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  get blockBitmap(): number {
    return this.#wide(0x0, 0x20);
  }

  get inodeBitmap(): number {
    return this.#wide(0x4, 0x24);
  }

  get inodeTable(): number {
    return this.#wide(0x8, 0x28);
  }

  has(flag: number): boolean {
    return (this.bytes.readUInt16LE(0x12) & flag) !== 0;
  }

  clear(flag: number): void {
    this.bytes.writeUInt16LE(this.bytes.readUInt16LE(0x12) & ~flag, 0x12);
  }

  /** Counts of what is free, used and never used. */
  setBlocks({ free, bitmapChecksum }: { free: number; bitmapChecksum: number }): void {
    this.#setSplit(0xc, 0x2c, free);
    this.#setSplit(0x18, 0x38, bitmapChecksum);
  }

  setInodes(counts: { free: number; folders: number; unused: number; bitmapChecksum: number }): void {
    this.#setSplit(0xe, 0x2e, counts.free);
    this.#setSplit(0x10, 0x30, counts.folders);
    this.#setSplit(0x1c, 0x32, counts.unused);
    this.#setSplit(0x1a, 0x3a, counts.bitmapChecksum);
  }

  sign(group: number, { checksumSeed }: Superblock): void {
    this.bytes.writeUInt16LE(0, CHECKSUM_AT);
    const checksum = crc32c(crc32cOfNumber(checksumSeed, group), this.bytes);
    this.bytes.writeUInt16LE(checksum & 0xffff, CHECKSUM_AT);
  }

  #wide(low: number, high: number): number {
    const top = this.bytes.length >= 64 ? this.bytes.readUInt32LE(high) : 0;
    return this.bytes.readUInt32LE(low) + top * 2 ** 32;
  }

  /** 32 bits, 16 here and 16 there. */
  #setSplit(low: number, high: number, value: number): void {
    this.bytes.writeUInt16LE(value & 0xffff, low);
    this.bytes.writeUInt16LE(value >>> 16, high);
  }
}
