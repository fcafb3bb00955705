/**
 * The format in which Linux keeps an LZ4-compressed kernel: a magic number, then blocks of 8 MiB uncompressed, each
 * with its compressed size in front (lz4_Block_format.md, "Legacy frame" of lz4_Frame_format.md).
 */
const MAGIC = 0x184c2102;
const BLOCK_BYTES = 8 * 2 ** 20;
const MIN_MATCH = 4;
const LONGER = 15;

export function isLz4Legacy(bytes: Buffer): boolean {
  return bytes.length >= 4 && bytes.readUInt32LE(0) === MAGIC;
}

/** @throws Error when the data is damaged or unpacks to more than `maxBytes` */
export function unpackLz4Legacy(packed: Buffer, maxBytes: number): Buffer {
  const blocks: Buffer[] = [];
  let total = 0;
  let at = 4;
  while (at + 4 < packed.length) {
    const size = packed.readUInt32LE(at);
    at += 4;
    if (size === 0 || at + size > packed.length)
      throw new Error('the LZ4 data ends in the middle of a block');
    const block = unpackBlock(packed.subarray(at, at + size));
    at += size;
    total += block.length;
    if (total > maxBytes) throw new Error(`the LZ4 data unpacks to more than ${maxBytes} bytes`);
    blocks.push(block);
  }
  return Buffer.concat(blocks, total);
}

function unpackBlock(packed: Buffer): Buffer {
  const out = Buffer.allocUnsafe(BLOCK_BYTES);
  const reader = new BlockReader(packed);
  let to = 0;
  for (;;) {
    const token = reader.byte();
    const literals = reader.length(token >> 4);
    if (to + literals > BLOCK_BYTES) throw damaged();
    out.set(reader.take(literals), to);
    to += literals;
    if (reader.isAtEnd) return out.subarray(0, to); // the last sequence has no match
    const distance = reader.byte() | (reader.byte() << 8);
    const length = reader.length(token & LONGER) + MIN_MATCH;
    if (distance === 0 || distance > to || to + length > BLOCK_BYTES) throw damaged();
    copyMatch(out, to, { distance, length });
    to += length;
  }
}

/** Its place is a field and not a variable of a closure: those, V8's Maglev compiles wrongly under load (ADR 26). */
class BlockReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw damaged();
    this.#at += 1;
    return byte;
  }

  length(short: number): number {
    let length = short;
    if (short < LONGER) return length;
    for (;;) {
      const more = this.byte();
      length += more;
      if (more !== 255) return length;
    }
  }

  take(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw damaged();
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}

/** A match may reach into what it is itself writing: that is how runs are said. */
function copyMatch(
  out: Buffer,
  to: number,
  { distance, length }: { distance: number; length: number },
): void {
  for (let index = to; index < to + length; index += 1) out[index] = out[index - distance] as number;
}

function damaged(): Error {
  return new Error('the LZ4 data is damaged');
}
