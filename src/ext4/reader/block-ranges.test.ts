import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BlockCache } from './block-cache.ts';
import { blockRanges, type BlockRange } from './block-ranges.ts';
import { parseInode, type Inode } from './inode.ts';

const BLOCK_BYTES = 1024;

function fileWith(map: Buffer, hasExtents = true): Inode {
  const bytes = Buffer.alloc(256);
  bytes.writeUInt16LE(0o100644);
  bytes.writeUInt32LE(hasExtents ? 0x80000 : 0, 0x20);
  map.copy(bytes, 0x28);
  return parseInode(12, bytes);
}

function node(
  depth: number,
  entries: readonly (readonly [first: number, count: number, at: number])[],
): Buffer {
  const bytes = Buffer.alloc(12 * (entries.length + 1));
  bytes.writeUInt16LE(0xf30a, 0);
  bytes.writeUInt16LE(entries.length, 2);
  bytes.writeUInt16LE(depth, 6);
  for (const [index, [first, count, at]] of entries.entries()) {
    const start = 12 * (index + 1);
    bytes.writeUInt32LE(first, start);
    if (depth > 0) bytes.writeUInt32LE(at, start + 4);
    else {
      bytes.writeUInt16LE(count, start + 4);
      bytes.writeUInt32LE(at, start + 8);
    }
  }
  return bytes;
}

async function rangesOf(inode: Inode, blocks: Record<number, Buffer> = {}): Promise<BlockRange[]> {
  const read = async (block: number) =>
    Buffer.concat([blocks[block] ?? Buffer.alloc(0), Buffer.alloc(BLOCK_BYTES)]);
  const disk = {
    blockBytes: BLOCK_BYTES,
    read: async (block: number) => (await read(block)).subarray(0, BLOCK_BYTES),
  };
  return Array.fromAsync(blockRanges(inode, disk));
}

test('extents, in the inode and below it; what has no content yet is a hole', async () => {
  const inode = fileWith(
    node(1, [
      [0, 0, 50],
      [100, 0, 51],
    ]),
  );
  const blocks = {
    50: node(0, [
      [0, 8, 200],
      [8, 32_768 + 5, 300],
    ]),
    51: node(0, [[100, 1, 400]]),
  };
  assert.deepEqual(await rangesOf(inode, blocks), [
    { first: 0, count: 8, at: 200 },
    { first: 100, count: 1, at: 400 },
  ]);
});

for (const [title, map, blocks] of [
  ['no tree at all', Buffer.alloc(60), {}],
  ['more entries than there is room for', Object.assign(node(0, [[0, 1, 5]]), { 2: 9 }), {}],
  ['a tree that leads back into itself', node(3, [[0, 0, 50]]), { 50: node(3, [[0, 0, 50]]) }],
  [
    'extents over each other',
    node(0, [
      [0, 8, 200],
      [4, 8, 300],
    ]),
    {},
  ],
] as const) {
  test(`damaged: ${title}`, async () => {
    await assert.rejects(rangesOf(fileWith(map), blocks), { code: 'IMAGE_SOURCE_INVALID' });
  });
}

test('block numbers, direct and in blocks of them; none is a hole', async () => {
  const map = Buffer.alloc(60);
  map.writeUInt32LE(70, 4); // the second block
  map.writeUInt32LE(80, 13 * 4); // two levels
  const [outer, inner] = [Buffer.alloc(BLOCK_BYTES), Buffer.alloc(BLOCK_BYTES)];
  outer.writeUInt32LE(81, 4);
  inner.writeUInt32LE(90, 8);
  assert.deepEqual(await rangesOf(fileWith(map, false), { 80: outer, 81: inner }), [
    { first: 1, count: 1, at: 70 },
    { first: 12 + 256 + 256 + 2, count: 1, at: 90 },
  ]);
});

test('reading goes on only so long', async () => {
  const file = { read: async (buffer: Buffer) => ({ bytesRead: buffer.length, buffer }) };
  const cache = new BlockCache(file as never, { blockBytes: BLOCK_BYTES, blocks: 10, maxReads: 3 });
  await assert.rejects(cache.read(10), {
    code: 'IMAGE_SOURCE_INVALID',
    message: /a block that it does not have/,
  });
  await cache.read(1);
  await cache.read(1);
  await assert.rejects(cache.read(1), { code: 'IMAGE_SOURCE_INVALID', message: /has no end/ });
});
