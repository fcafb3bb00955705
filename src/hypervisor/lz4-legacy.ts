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
  let from = 0;
  let to = 0;
  const readLength = (short: number) => {
    let length = short;
    for (let more = short === LONGER ? 255 : 0; more === 255; length += more) more = byteAt(packed, from++);
    return length;
  };
  while (from < packed.length) {
    const token = byteAt(packed, from++);
    const literals = readLength(token >> 4);
    if (from + literals > packed.length || to + literals > BLOCK_BYTES) throw damaged();
    packed.copy(out, to, from, from + literals);
    from += literals;
    to += literals;
    if (from === packed.length) return out.subarray(0, to); // the last sequence has no match
    const distance = byteAt(packed, from) | (byteAt(packed, from + 1) << 8);
    from += 2;
    const length = readLength(token & LONGER) + MIN_MATCH;
    if (distance === 0 || distance > to || to + length > BLOCK_BYTES) throw damaged();
    copyMatch(out, to, { distance, length });
    to += length;
  }
  throw damaged();
}

/** A match may reach into what it is itself writing: that is how runs are said. */
function copyMatch(
  out: Buffer,
  to: number,
  { distance, length }: { distance: number; length: number },
): void {
  for (let done = 0; done < length;) {
    const step = Math.min(distance, length - done);
    out.copy(out, to + done, to + done - distance, to + done - distance + step);
    done += step;
  }
}

function byteAt(bytes: Buffer, index: number): number {
  const byte = bytes[index];
  if (byte === undefined) throw damaged();
  return byte;
}

function damaged(): Error {
  return new Error('the LZ4 data is damaged');
}
