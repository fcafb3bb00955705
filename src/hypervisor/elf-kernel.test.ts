import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { extractElfKernel } from './elf-kernel.ts';

const SETUP_SECTORS = 1;
const PAYLOAD_OFFSET = 16;

/** An ELF header, one note segment, and the note that says whether virtual machines may start it directly. */
function elfKernel(noteType: number): Buffer {
  const elf = Buffer.alloc(64 + 56 + 32);
  elf.write('\x7fELF\x02', 'latin1');
  elf.writeBigUInt64LE(64n, 32);
  elf.writeUInt16LE(56, 54);
  elf.writeUInt16LE(1, 56);
  elf.writeUInt32LE(4, 64);
  elf.writeBigUInt64LE(120n, 64 + 8);
  elf.writeBigUInt64LE(32n, 64 + 32);
  const note = elf.subarray(120);
  note.writeUInt32LE(4, 0);
  note.writeUInt32LE(8, 4);
  note.writeUInt32LE(noteType, 8);
  note.write('Xen', 12);
  return elf;
}

function bzImage(payload: Buffer): Buffer {
  const image = Buffer.alloc((SETUP_SECTORS + 1) * 512 + PAYLOAD_OFFSET);
  image[0x1f1] = SETUP_SECTORS;
  image.write('HdrS', 0x202);
  image.writeUInt32LE(PAYLOAD_OFFSET, 0x248);
  image.writeUInt32LE(payload.length, 0x24c);
  return Buffer.concat([image, payload, Buffer.alloc(100)]);
}

function withSize(packed: Buffer, size: number): Buffer {
  const appended = Buffer.alloc(4);
  appended.writeUInt32LE(size);
  return Buffer.concat([packed, appended]);
}

function lz4(content: Buffer): Buffer {
  const token = Buffer.from([0xf0, content.length - 15]); // literals only
  const head = Buffer.from('02214c1800000000', 'hex');
  head.writeUInt32LE(token.length + content.length, 4);
  return Buffer.concat([head, token, content]);
}

const kernel = elfKernel(18);

for (const [name, payload] of Object.entries({
  gzip: gzipSync(kernel),
  zstd: withSize(zstdCompressSync(kernel), kernel.length),
  lz4: withSize(lz4(kernel), kernel.length),
})) {
  test(`a kernel packed with ${name} is unpacked`, () => {
    assert.deepEqual(extractElfKernel(bzImage(payload)), kernel);
  });
}

test('what cannot be started directly is left as it is', () => {
  assert.equal(extractElfKernel(bzImage(gzipSync(elfKernel(7)))), undefined);
  assert.equal(extractElfKernel(bzImage(gzipSync('no ELF file'))), undefined);
  assert.equal(extractElfKernel(bzImage(Buffer.from('fd377a585a000000', 'hex'))), undefined);
  assert.equal(extractElfKernel(Buffer.alloc(2048)), undefined);
});

test('a kernel that is cut short is refused', () => {
  assert.throws(() => extractElfKernel(bzImage(gzipSync(kernel)).subarray(0, 1050)), /cut short/);
});
