import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { isLz4Legacy, unpackLz4Legacy } from './lz4-legacy.ts';
import { isXz, unpackXz, type UnpackXzOptions } from './unpack-xz.ts';

/** An unpacked kernel is never larger. */
export const MAX_KERNEL_BYTES = 256 * 2 ** 20;

const PT_LOAD = 1;
const PT_NOTE = 4;
/** Xen's public/elfnote.h: the 32-bit entry point by which a virtual machine starts a kernel directly. */
const PVH_ENTRY = 18;

interface Segment {
  type: number;
  offset: number;
  size: number;
}

/**
 * What is packed in an x86 bzImage (gzip, xz, zstd or LZ4), undefined when it is packed in a way not known here. Unpacking
 * once on the host spares every guest from doing it, a quarter of an emulated boot; such a kernel stays at its fixed
 * address (no KASLR).
 *
 * @throws Error when the image is damaged
 */
export async function unpackKernel(
  bzImage: Buffer,
  options: Omit<UnpackXzOptions, 'maxBytes'>,
): Promise<Buffer | undefined> {
  const payload = payloadOf(bzImage);
  if (!payload) return undefined;
  if (payload.toString('hex', 0, 2) === '1f8b')
    return gunzipSync(payload, { maxOutputLength: MAX_KERNEL_BYTES });
  const kernel = await unpackSized(payload.subarray(0, -4), options);
  if (kernel && kernel.length !== payload.readUInt32LE(payload.length - 4))
    throw new Error('the kernel in the image is not as long as it says');
  return kernel;
}

/** All but gzip, which has it anyway, are followed by the unpacked size. */
async function unpackSized(
  packed: Buffer,
  options: Omit<UnpackXzOptions, 'maxBytes'>,
): Promise<Buffer | undefined> {
  if (isXz(packed)) return unpackXz(packed, { ...options, maxBytes: MAX_KERNEL_BYTES });
  if (isLz4Legacy(packed)) return unpackLz4Legacy(packed, MAX_KERNEL_BYTES);
  if (packed.toString('hex', 0, 4) === '28b52ffd')
    return zstdDecompressSync(packed, { maxOutputLength: MAX_KERNEL_BYTES });
  return undefined;
}

/**
 * An ELF image that a virtual machine can start directly.
 *
 * @throws Error when it is cut short
 */
export function isStartableElf(elf: Buffer): boolean {
  if (elf.toString('latin1', 0, 5) !== '\x7fELF\x02') return false;
  const segments = segmentsOf(elf);
  if (segments.some(({ type, offset, size }) => type === PT_LOAD && offset + size > elf.length))
    throw new Error('the kernel image is cut short');
  return segments.some(
    ({ type, offset, size }) => type === PT_NOTE && holdsPvhNote(elf.subarray(offset, offset + size)),
  );
}

/** Documentation/arch/x86/boot.rst: setup_sects, header, payload_offset, payload_length. */
function payloadOf(bzImage: Buffer): Buffer | undefined {
  if (bzImage.toString('latin1', 0x202, 0x206) !== 'HdrS' || bzImage.length < 0x250) return undefined;
  const setupSectors = bzImage.readUInt8(0x1f1) || 4;
  const start = (setupSectors + 1) * 512 + bzImage.readUInt32LE(0x248);
  const length = bzImage.readUInt32LE(0x24c);
  if (length === 0 || start + length > bzImage.length) throw new Error('the kernel image is cut short');
  return bzImage.subarray(start, start + length);
}

function segmentsOf(elf: Buffer): Segment[] {
  if (elf.length < 64) throw new Error('the kernel image is cut short');
  const [table, entryBytes, count] = [
    Number(elf.readBigUInt64LE(32)),
    elf.readUInt16LE(54),
    elf.readUInt16LE(56),
  ];
  if (table + entryBytes * count > elf.length || (count > 0 && entryBytes < 56))
    throw new Error('the kernel image is cut short');
  return Array.from({ length: count }, (_, index) => {
    const at = table + index * entryBytes;
    const [offset, size] = [Number(elf.readBigUInt64LE(at + 8)), Number(elf.readBigUInt64LE(at + 32))];
    return { type: elf.readUInt32LE(at), offset, size };
  });
}

function holdsPvhNote(notes: Buffer): boolean {
  for (let at = 0; at + 12 <= notes.length;) {
    const [nameBytes, contentBytes, type] = [0, 4, 8].map((field) => notes.readUInt32LE(at + field)) as [
      number,
      number,
      number,
    ];
    if (type === PVH_ENTRY && notes.toString('latin1', at + 12, at + 15) === 'Xen') return true;
    at += 12 + align4(nameBytes) + align4(contentBytes);
  }
  return false;
}

function align4(bytes: number): number {
  return Math.ceil(bytes / 4) * 4;
}
