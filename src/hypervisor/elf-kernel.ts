import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { isLz4Legacy, unpackLz4Legacy } from './lz4-legacy.ts';

const MAX_KERNEL_BYTES = 256 * 2 ** 20;
const PT_NOTE = 4;
/** Xen's public/elfnote.h: the 32-bit entry point by which a virtual machine starts a kernel directly. */
const PVH_ENTRY = 18;

/**
 * The uncompressed kernel inside an x86 bzImage, undefined when it is packed in a way not known here or cannot be started
 * directly. Unpacking once on the host spares every guest from doing it, a quarter of an emulated boot; such a kernel
 * stays at its fixed address (no KASLR).
 *
 * @throws Error when the image is damaged
 */
export function extractElfKernel(bzImage: Buffer): Buffer | undefined {
  const payload = payloadOf(bzImage);
  const kernel = payload && unpack(payload);
  return kernel && hasPvhEntry(kernel) ? kernel : undefined;
}

/** Documentation/arch/x86/boot.rst: setup_sects, header, payload_offset, payload_length. */
function payloadOf(bzImage: Buffer): Buffer | undefined {
  if (bzImage.toString('latin1', 0x202, 0x206) !== 'HdrS') return undefined;
  const setupSectors = bzImage.readUInt8(0x1f1) || 4;
  const start = (setupSectors + 1) * 512 + bzImage.readUInt32LE(0x248);
  const length = bzImage.readUInt32LE(0x24c);
  if (length === 0 || start + length > bzImage.length) throw new Error('the kernel image is cut short');
  return bzImage.subarray(start, start + length);
}

/** All but gzip, which has it anyway, are followed by the unpacked size. */
function unpack(payload: Buffer): Buffer | undefined {
  const options = { maxOutputLength: MAX_KERNEL_BYTES };
  if (isLz4Legacy(payload)) return unpackLz4Legacy(payload.subarray(0, -4), MAX_KERNEL_BYTES);
  if (payload.readUInt32BE(0) === 0x28b52ffd) return zstdDecompressSync(payload.subarray(0, -4), options);
  if (payload.readUInt16BE(0) === 0x1f8b) return gunzipSync(payload, options);
  return undefined;
}

function hasPvhEntry(elf: Buffer): boolean {
  if (elf.toString('latin1', 0, 5) !== '\x7fELF\x02') return false;
  const [table, entryBytes, count] = [
    Number(elf.readBigUInt64LE(32)),
    elf.readUInt16LE(54),
    elf.readUInt16LE(56),
  ];
  for (let index = 0; index < count; index += 1) {
    const at = table + index * entryBytes;
    const [offset, size] = [Number(elf.readBigUInt64LE(at + 8)), Number(elf.readBigUInt64LE(at + 32))];
    if (elf.readUInt32LE(at) === PT_NOTE && holdsPvhNote(elf.subarray(offset, offset + size))) return true;
  }
  return false;
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
