/** What the header of an overlay on a raw base says. */
export interface OverlayHeader {
  sizeBytes: number;
  /** As it was given to the one who made the overlay. */
  basePath: string;
}

/** The header, its extensions and the name of the base are in the first cluster; ours have the default size. */
export const HEADER_BYTES = 64 * 1024;

const MAGIC = 0x514649fb;
/** Since QEMU 1.1; the one before has no extensions and so no format of the base. */
const VERSION = 3;
const FIELDS_BYTES = 104;
/** What does no harm, of the bits that must be understood. 2 is "corrupt"; with 4 the guest would write another file of the host. */
const KNOWN_FEATURES = { notClosed: 1n, packedOtherwise: 8n, partsOfClusters: 16n };
const HARMLESS = Object.values(KNOWN_FEATURES).reduce((all, bit) => all | bit);
const EXTENSION = { end: 0, baseFormat: 0xe2792aca };
const MAX_NAME_BYTES = 1023;

/**
 * Reads the begin of a qcow2 file, as docs/interop/qcow2.rst of QEMU has it.
 *
 * @param fileBytes how large the file is
 * @returns undefined when it is no undamaged overlay on a raw base, as far as this part tells
 */
export function parseOverlayHeader(bytes: Buffer, fileBytes: number): OverlayHeader | undefined {
  if (bytes.length < FIELDS_BYTES || bytes.readUInt32BE(0) !== MAGIC || bytes.readUInt32BE(4) !== VERSION)
    return undefined;
  const features = bytes.readBigUInt64BE(72);
  const isEncrypted = bytes.readUInt32BE(32) !== 0;
  if (isEncrypted || (features & ~HARMLESS) !== 0n) return undefined;
  const tableEnd = bytes.readBigUInt64BE(40) + BigInt(bytes.readUInt32BE(36)) * 8n;
  if (tableEnd > BigInt(fileBytes)) return undefined; // it was cut off
  const sizeBytes = Number(bytes.readBigUInt64BE(24));
  const basePath = nameOfBase(bytes);
  if (basePath === undefined || !Number.isSafeInteger(sizeBytes) || sizeBytes === 0) return undefined;
  return baseFormat(bytes) === 'raw' ? { sizeBytes, basePath } : undefined;
}

function nameOfBase(bytes: Buffer): string | undefined {
  const offset = bytes.readBigUInt64BE(8);
  const length = bytes.readUInt32BE(16);
  if (offset === 0n || length === 0 || length > MAX_NAME_BYTES) return undefined;
  if (offset + BigInt(length) > BigInt(bytes.length)) return undefined;
  return bytes.toString('utf8', Number(offset), Number(offset) + length);
}

/** Without it QEMU looks at the base to find out, and a guest could have written there what it finds. */
function baseFormat(bytes: Buffer): string | undefined {
  for (let at = bytes.readUInt32BE(100); at + 8 <= bytes.length;) {
    const kind = bytes.readUInt32BE(at);
    const length = bytes.readUInt32BE(at + 4);
    if (kind === EXTENSION.end) return undefined;
    if (kind === EXTENSION.baseFormat) return bytes.toString('utf8', at + 8, at + 8 + length);
    at += 8 + Math.ceil(length / 8) * 8;
  }
  return undefined;
}
