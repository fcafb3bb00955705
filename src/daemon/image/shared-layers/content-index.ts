import { crc32 } from 'node:zlib';

/** A part of a file that lies in a row in a root disk. Offsets, positions and lengths are bytes. */
export interface ContentRun {
  /** Which member of the layer the file is. */
  member: number;
  /** Where the part begins in the file, and where in the disk: multiples of 1 KiB, the smallest block of ext4. */
  offset: number;
  position: number;
  length: number;
  /** Of the part. */
  crc32: number;
}

const MAGIC = Buffer.from('BGRRUNS1');
/** The magic, the rows' checksum, their number. */
const HEADER_BYTES = MAGIC.length + 8;
const COLUMNS = 5;
const ROW_BYTES = COLUMNS * Uint32Array.BYTES_PER_ELEMENT;
const UNIT = 1024;
const FIRST_ROWS = 64;

/**
 * Where in a root disk the contents of one layer lie. Packed: an image may have a million files. On disk a header of 16 bytes, then
 * for each run five numbers of 32 bits, in the byte order of the host, which all that banger runs on share.
 */
export class ContentIndex {
  #rows: Uint32Array<ArrayBuffer>;
  #length: number;

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

  add({ member, offset, position, length, crc32: checksum }: ContentRun): void {
    const at = this.#length * COLUMNS;
    if (at === this.#rows.length) this.#grow();
    this.#rows.set([member, offset / UNIT, position / UNIT, length, checksum], at);
    this.#length += 1;
  }

  run(row: number): ContentRun {
    const [member = 0, offset = 0, position = 0, length = 0, checksum = 0] = this.#rows.subarray(
      row * COLUMNS,
      (row + 1) * COLUMNS,
    );
    return { member, offset: offset * UNIT, position: position * UNIT, length, crc32: checksum };
  }

  /** The rows of these members in the order of the disk; undefined unless all of their contents are there. */
  rowsOf(wanted: ReadonlyMap<number, { inode: { size: number } }>): Uint32Array | undefined {
    const rows = new Uint32Array(this.#length);
    let found = 0;
    let bytes = 0;
    for (let row = 0; row < this.#length; row += 1) {
      const at = row * COLUMNS;
      if (!wanted.has(this.#rows[at] ?? 0)) continue;
      rows[found] = row;
      found += 1;
      bytes += this.#rows[at + 3] ?? 0;
    }
    for (const { inode } of wanted.values()) bytes -= inode.size;
    if (bytes !== 0) return undefined;
    const position = (row: number) => this.#rows[row * COLUMNS + 2] ?? 0;
    return rows.subarray(0, found).toSorted((one, other) => position(one) - position(other));
  }

  #grow(): void {
    const rows = new Uint32Array(this.#rows.length * 2);
    rows.set(this.#rows);
    this.#rows = rows;
  }
}
