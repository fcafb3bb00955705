import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MiB } from '#base/sizes.ts';
import { parseOverlayHeader } from './overlay-header.ts';

const BASE = '/images/base.raw';
const FILE_BYTES = 256 * 1024;

/** What qemu-img writes, as far as it is looked at. */
function header(change: (bytes: Buffer) => void = () => {}): Buffer {
  const bytes = Buffer.alloc(4096);
  bytes.writeUInt32BE(0x514649fb, 0);
  bytes.writeUInt32BE(3, 4);
  bytes.writeBigUInt64BE(512n, 8);
  bytes.writeUInt32BE(BASE.length, 16);
  bytes.writeUInt32BE(16, 20);
  bytes.writeBigUInt64BE(BigInt(8 * MiB), 24);
  bytes.writeUInt32BE(1, 36);
  bytes.writeBigUInt64BE(BigInt(FILE_BYTES - 8), 40);
  bytes.writeUInt32BE(112, 100);
  bytes.writeUInt32BE(0x6803f857, 112); // names of features, of which there are none here
  bytes.writeUInt32BE(5, 116);
  bytes.writeUInt32BE(0xe2792aca, 128);
  bytes.writeUInt32BE(3, 132);
  bytes.write('raw', 136);
  bytes.write(BASE, 512);
  change(bytes);
  return bytes;
}

const parse = (change?: (bytes: Buffer) => void) => parseOverlayHeader(header(change), FILE_BYTES);

test('an overlay on a raw base is understood', () => {
  assert.deepEqual(parse(), { sizeBytes: 8 * MiB, basePath: BASE });
  const notClosed = (bytes: Buffer) => bytes.writeBigUInt64BE(1n | 8n | 16n, 72);
  assert.deepEqual(parse(notClosed), parse(), 'QEMU sees to it when it opens the disk');
});

for (const [title, change] of Object.entries<(bytes: Buffer) => void>({
  'another format': (bytes) => bytes.write('raw!'),
  'an older version': (bytes) => bytes.writeUInt32BE(2, 4),
  'no base': (bytes) => bytes.writeBigUInt64BE(0n, 8),
  'a base without a name': (bytes) => bytes.writeUInt32BE(0, 16),
  'a name that is too long': (bytes) => bytes.writeUInt32BE(1024, 16),
  'a name beyond what was read': (bytes) => bytes.writeBigUInt64BE(4090n, 8),
  'a base whose format would be probed': (bytes) => bytes.writeUInt32BE(0, 128),
  'a qcow2 base': (bytes) => {
    bytes.writeUInt32BE(5, 132);
    bytes.write('qcow2', 136);
  },
  'extensions without an end': (bytes) => {
    bytes.writeUInt32BE(0x12345678, 128);
    bytes.fill(0x11, 132);
    bytes.write(BASE, 512);
  },
  'marked as corrupt': (bytes) => bytes.writeBigUInt64BE(2n, 72),
  'data in another file': (bytes) => bytes.writeBigUInt64BE(4n, 72),
  'what nobody knows yet': (bytes) => bytes.writeBigUInt64BE(32n, 72),
  encrypted: (bytes) => bytes.writeUInt32BE(1, 32),
  'cut off': (bytes) => bytes.writeUInt32BE(2, 36),
  'no size': (bytes) => bytes.writeBigUInt64BE(0n, 24),
  'a size beyond all': (bytes) => bytes.writeBigUInt64BE(2n ** 60n, 24),
})) {
  test(`not a root disk: ${title}`, () => {
    assert.equal(parse(change), undefined);
  });
}

test('not even a header', () => {
  assert.equal(parseOverlayHeader(Buffer.alloc(0), 0), undefined);
  assert.equal(parseOverlayHeader(header().subarray(0, 103), FILE_BYTES), undefined);
});
