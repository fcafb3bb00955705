import { crc32 } from 'node:zlib';

/** A part of a file that lies in a row in a root disk. Offsets, positions and lengths are bytes. */
export interface ContentRun {
  /** Which member of the layer the file is. */
  member: number;
  /** Where the part begins in the file, and where in the disk: multiples of a block. */
  offset: number;
  position: number;
  length: number;
  /** Of the part. */
  crc32: number;
}

/** Whose content is wanted, by their places in the layer. */
export type WantedSizes = ReadonlyMap<number, { inode: { size: number } }>;

/** Another one where members are counted otherwise, or contents are those of other members. */
const MAGIC = Buffer.from('BGRRUNS1');
/** The magic, the rows' checksum, their number. */
const HEADER_BYTES = MAGIC.length + 8;
const COLUMNS = 5;
const ROW_BYTES = COLUMNS * Uint32Array.BYTES_PER_ELEMENT;
/** Of our file systems; 32 bits are enough then for what ext4 can be. */
const BLOCK_BYTES = 4096;
const FIRST_ROWS = 64;
/** Beyond that a block and a row would not fit into the 53 bits of a number. */
const MAX_ROWS = 2 ** 21;

/**
 * Where in a root disk the contents of one layer lie. Packed: an image may have a million files. On disk a header of 16 bytes, then
 * for each run five numbers of 32 bits, in the byte order of the host, which all that banger runs on share.
 */
export class ContentIndex {
  #rows: Uint32Array<ArrayBuffer>;
  #length: number;
  #bytes = 0;

  private constructor(rows: Uint32Array<ArrayBuffer>, length: number) {
    this.#rows = rows;
    this.#length = length;
  }

  static empty(): ContentIndex {
    return new ContentIndex(new Uint32Array(FIRST_ROWS * COLUMNS), 0);
  }

  /** Undefined when it is not whole, as after a power cut. */
  static parse(bytes: Uint8Array): ContentIndex | undefined {
    if (bytes.length < HEADER_BYTES || !MAGIC.equals(bytes.subarray(0, MAGIC.length))) return undefined;
    const header = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
    const length = header.getUint32(MAGIC.length + 4, true);
    const body = bytes.subarray(HEADER_BYTES);
    if (body.length !== length * ROW_BYTES || crc32(body) !== header.getUint32(MAGIC.length, true))
      return undefined;
    return new ContentIndex(new Uint32Array(Uint8Array.from(body).buffer), length);
  }

  serialize(): Buffer {
    const body = new Uint8Array(this.#rows.buffer, 0, this.#length * ROW_BYTES);
    const header = Buffer.alloc(HEADER_BYTES);
    MAGIC.copy(header);
    header.writeUInt32LE(crc32(body), MAGIC.length);
    header.writeUInt32LE(this.#length, MAGIC.length + 4);
    return Buffer.concat([header, body]);
  }

  get length(): number {
    return this.#length;
  }

  /** Of what was added. */
  get bytes(): number {
    return this.#bytes;
  }

  add({ member, offset, position, length, crc32: checksum }: ContentRun): void {
    const at = this.#length * COLUMNS;
    if (at === this.#rows.length) this.#grow();
    this.#rows.set([member, offset / BLOCK_BYTES, position / BLOCK_BYTES, length, checksum], at);
    this.#length += 1;
    this.#bytes += length;
  }

  run(row: number): ContentRun {
    const [member = 0, offset = 0, position = 0, length = 0, checksum = 0] = this.#rows.subarray(
      row * COLUMNS,
      (row + 1) * COLUMNS,
    );
    return {
      member,
      offset: offset * BLOCK_BYTES,
      position: position * BLOCK_BYTES,
      length,
      crc32: checksum,
    };
  }

  /** The rows of these members in the order of the disk; undefined unless each of them is there, once and to its end. */
  rowsOf(wanted: WantedSizes): Uint32Array | undefined {
    if (this.#length > MAX_ROWS) return undefined;
    const keys = new Float64Array(this.#length);
    let found = 0;
    for (let row = 0; row < this.#length; row += 1) {
      const at = row * COLUMNS;
      if (!wanted.has(this.#rows[at] ?? 0)) continue;
      // Without a function that compares, sorting a million takes a third of the time.
      keys[found] = (this.#rows[at + 2] ?? 0) * MAX_ROWS + row;
      found += 1;
    }
    const rows = Uint32Array.from(keys.subarray(0, found).toSorted(), (key) => key % MAX_ROWS);
    return this.#areWhole(rows, wanted) ? rows : undefined;
  }

  /** The parts of a file lie one behind the other, and nothing of another one in between. */
  #areWhole(rows: Uint32Array, wanted: WantedSizes): boolean {
    const seen = new Set<number>();
    let current = -1;
    let left = 0;
    let end = 0;
    for (const row of rows) {
      const { member, offset, length } = this.run(row);
      if (member !== current) {
        if (left !== 0 || seen.has(member)) return false;
        seen.add(member);
        [current, left, end] = [member, wanted.get(member)?.inode.size ?? 0, 0];
      }
      if (offset !== end) return false;
      end += length;
      left -= length;
    }
    if (left !== 0) return false;
    for (const [member, { inode }] of wanted) if (inode.size > 0 && !seen.has(member)) return false;
    return true;
  }

  #grow(): void {
    const rows = new Uint32Array(this.#rows.length * 2);
    rows.set(this.#rows);
    this.#rows = rows;
  }
}
