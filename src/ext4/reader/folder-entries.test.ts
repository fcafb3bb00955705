import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseFolderBlock } from './folder-entries.ts';

function record(name: string, { inode = 12, length = 0 }: { inode?: number; length?: number } = {}): Buffer {
  const bytes = Buffer.alloc(length || Math.ceil((8 + name.length) / 4) * 4);
  bytes.writeUInt32LE(inode, 0);
  bytes.writeUInt16LE(bytes.length, 4);
  bytes.writeUInt8(name.length, 6);
  bytes.write(name, 8, 'latin1');
  return bytes;
}

test('names, without the folder itself, its parent and what was removed', () => {
  const block = Buffer.concat([
    record('.'),
    record('..'),
    record('gone', { inode: 0 }),
    record('a\nb'),
    record('\xe9', { length: 64 }),
  ]);
  assert.deepEqual(parseFolderBlock(block, true), [
    { name: 'a\nb', inode: 12 },
    { name: '\xe9', inode: 12 },
  ]);
});

for (const [title, block] of Object.entries({
  'a name that leads elsewhere': record('../x'),
  'a NUL in a name': record('a\0b'),
  'a name without letters': record('', { length: 12 }),
  'a record without a length': Buffer.alloc(12),
  'a record that is longer than the block': Buffer.concat([
    record('x'),
    record('y', { length: 16 }),
  ]).subarray(0, 20),
  'a name that is longer than its record': Object.assign(record('x'), { 6: 200 }),
})) {
  test(`damaged: ${title}`, () => {
    assert.throws(() => parseFolderBlock(block, true), { code: 'IMAGE_SOURCE_INVALID' });
  });
}
