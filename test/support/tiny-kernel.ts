export const TINY_RELEASE = '6.9.0-tiny';
const DRIVERS = ['virtio_blk', 'virtio-mmio', 'virtio_net', 'virtio_console', 'ext4'];
const [SETUP_SECTORS, PAYLOAD_OFFSET] = [1, 16];

export interface TinyElf {
  /** 18 is the note by which virtual machines start a kernel directly. */
  noteType?: number;
  /** ELF machine; 62 is x86_64. */
  machine?: number;
  /** Names of the drivers that are built in. */
  drivers?: readonly string[];
}

/** As much of an ELF kernel as banger looks at: a header, one note segment, the version, the names of drivers. */
export function tinyElf({ noteType = 18, machine = 62, drivers = DRIVERS }: TinyElf = {}): Buffer {
  const head = Buffer.alloc(64 + 56 + 32);
  head.write('\x7fELF\x02', 'latin1');
  head.writeUInt16LE(machine, 18);
  head.writeBigUInt64LE(64n, 32);
  head.writeUInt16LE(56, 54);
  head.writeUInt16LE(1, 56);
  head.writeUInt32LE(4, 64);
  head.writeBigUInt64LE(120n, 64 + 8);
  head.writeBigUInt64LE(32n, 64 + 32);
  const note = head.subarray(120);
  note.writeUInt32LE(4, 0);
  note.writeUInt32LE(8, 4);
  note.writeUInt32LE(noteType, 8);
  note.write('Xen', 12);
  const words = `\0Linux version %s (%s)\n\0Linux version ${TINY_RELEASE} (us) #1\0${drivers.join('\0')}\0`;
  return Buffer.concat([head, Buffer.from(words), Buffer.alloc(1024)]);
}

/** As much of a bzImage as banger looks at, for 64-bit x86 unless told. */
export function bzImage(payload: Buffer, { is64Bit = true }: { is64Bit?: boolean } = {}): Buffer {
  const image = Buffer.alloc((SETUP_SECTORS + 1) * 512 + PAYLOAD_OFFSET);
  image[0x1f1] = SETUP_SECTORS;
  image.write('HdrS', 0x202);
  image.writeUInt16LE(0x300 - 0x200, 0x20e);
  image.writeUInt16LE(is64Bit ? 1 : 0, 0x236);
  image.writeUInt32LE(PAYLOAD_OFFSET, 0x248);
  image.writeUInt32LE(payload.length, 0x24c);
  image.write(`${TINY_RELEASE} (us) #1`, 0x300);
  return Buffer.concat([image, payload, Buffer.alloc(100)]);
}

/** As much of an arm64 Image as banger looks at. */
export function arm64Image(): Buffer {
  const image = Buffer.alloc(1024);
  image.write('MZ', 0);
  image.write('ARMd', 56);
  return Buffer.concat([image, tinyElf({ machine: 183 }).subarray(152)]);
}

/** The kernel's build appends the unpacked size to every payload but gzip's. */
export function withSize(packed: Buffer, size: number): Buffer {
  const appended = Buffer.alloc(4);
  appended.writeUInt32LE(size);
  return Buffer.concat([packed, appended]);
}

/** LZ4's legacy frame with blocks of literals only. */
export function lz4Literals(content: Buffer): Buffer {
  const parts: Uint8Array[] = [Buffer.from('02214c18', 'hex')];
  for (let at = 0; at < content.length; at += 2 ** 20) {
    const literals = content.subarray(at, at + 2 ** 20);
    const rest = literals.length - 15;
    const more = Buffer.concat([Buffer.alloc(Math.floor(rest / 255), 255), Buffer.from([rest % 255])]);
    const size = Buffer.alloc(4);
    size.writeUInt32LE(1 + more.length + literals.length);
    parts.push(size, Buffer.from([0xf0]), more, literals);
  }
  return Buffer.concat(parts);
}
