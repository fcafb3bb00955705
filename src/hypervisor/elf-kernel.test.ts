import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { after, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { runCommand } from '#host/run-command.ts';
import { bzImage, lz4Literals, tinyElf, withSize } from '../../test/support/tiny-kernel.ts';
import { isStartableElf, unpackKernel } from './elf-kernel.ts';

const kernel = tinyElf();

const workFolder = mkdtempSync(`${tmpdir()}/bgr-elf-`);
after(() => rmSync(workFolder, { recursive: true }));
const unpack = (image: Buffer) => unpackKernel(image, { workFolder });

async function xz(content: Buffer): Promise<Buffer> {
  const path = `${workFolder}/packed`;
  writeFileSync(path, content);
  await runCommand('xz', ['--check=crc32', '--x86', '--lzma2', path]);
  const packed = readFileSync(`${path}.xz`);
  rmSync(`${path}.xz`);
  return packed;
}

for (const [name, payload] of Object.entries({
  gzip: gzipSync(kernel),
  zstd: withSize(zstdCompressSync(kernel), kernel.length),
  lz4: withSize(lz4Literals(kernel), kernel.length),
  xz: withSize(await xz(kernel), kernel.length),
})) {
  test(`a kernel packed with ${name} is unpacked`, async () => {
    assert.deepEqual(await unpack(bzImage(payload)), kernel);
    assert.deepEqual(readdirSync(workFolder), []);
  });

  test(`a damaged kernel packed with ${name} is refused`, async () => {
    const damaged = Buffer.from(payload);
    damaged.fill(0xff, 8, 40);
    await assert.rejects(unpack(bzImage(damaged)));
    await assert.rejects(unpack(bzImage(payload.subarray(0, payload.length - 24))));
    assert.deepEqual(readdirSync(workFolder), []);
  });
}

test('what cannot be started directly is told apart', () => {
  assert.equal(isStartableElf(kernel), true);
  assert.equal(isStartableElf(tinyElf({ noteType: 7 })), false);
  assert.equal(isStartableElf(Buffer.from('no ELF file')), false);
});

test('what is packed in an unknown way is left as it is', async () => {
  assert.equal(await unpack(bzImage(Buffer.from('BZh91AY'))), undefined);
  assert.equal(await unpack(bzImage(Buffer.from('B'))), undefined);
  assert.equal(await unpack(Buffer.alloc(2048)), undefined);
  assert.equal(await unpack(Buffer.alloc(3)), undefined);
});

test('a kernel that is cut short is refused', async () => {
  await assert.rejects(unpack(bzImage(gzipSync(kernel)).subarray(0, 1050)), /cut short/);
  for (const end of [5, 40, 63, 100])
    assert.throws(() => isStartableElf(kernel.subarray(0, end)), /cut short/);
  const withSegment = Buffer.from(kernel);
  withSegment.writeUInt32LE(1, 64);
  withSegment.writeBigUInt64LE(2n ** 40n, 64 + 32);
  assert.throws(() => isStartableElf(withSegment), /cut short/);
});
