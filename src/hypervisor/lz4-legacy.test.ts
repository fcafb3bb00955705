import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLz4Legacy, unpackLz4Legacy } from './lz4-legacy.ts';

const MAGIC = Buffer.from('02214c18', 'hex');

function legacy(...blocks: number[][]): Buffer {
  const parts = blocks.map((block) => {
    const size = Buffer.alloc(4);
    size.writeUInt32LE(block.length);
    return Buffer.concat([size, Buffer.from(block)]);
  });
  return Buffer.concat([MAGIC, ...parts]);
}

const BY_LZ4 = [
  'AiFMGNYBAAD8CTAgMDogZHJpdmVyIGxvYWRlZAoxIDg1NhUAXDIgNzAzFQBNMyA1NT8AXDQgMzk3FQBcNSAyNDQVAEw2IDkxFABN',
  'NyA5ND4ATTggNzk+AE05IDY0PwBtMTAgNDg4FgBdMSAzMzUWAF0yIDE4MhYATTMgMjkVAE40IDg4QQBONSA3M0EATjYgNTdCAE03',
  'IDQyVgFdMTggMjdXAV0xOSAxMlgBXjIwIDk3mAFNMSA4MkIAXjIyIDY3QgBNMyA1MV0BXTI0IDM2XgFdMjUgMjFfAU0yNiA1XgFe',
  'MjcgOTFBAE44IDc2QQBNOSA2MEIAXTMwIDQ1XwFdMzEgMzBfAV0zMiAxNF8BbjMzIDEwMEMATjQgODVDAE41IDY5QwBNNiA1NGAB',
  'XjM3IDM5+QJNOCAyNGABTTM5IDhfAV00MCA5NEEAXjQxIDc5OwNOMiA2M0IATTMgNDhgAV00NCAzM2ABXTQ1IDE3YAFNNDYgMhwB',
  'XjQ3IDg4QQBOOCA3MkEATTkgNTdCAF01MCA0Ml4BXTUxIDI2XgFdNTIgMTFeAV41MyA5N0IATjQgODFCAE41IDY2QgBNNiA1MV8B',
  'XTU3IDM2XwFeNTggMjCbBDg5IDVeAVBhZGVkCg==',
];

const bytes = (text: string) => [...Buffer.from(text)];

test('literals, matches, runs that overlap themselves, long lengths', () => {
  assert.equal(String(unpackLz4Legacy(legacy([0x30, ...bytes('abc')]), 100)), 'abc');
  // "abc" then 6 bytes from 3 back, then "!"
  assert.equal(
    String(unpackLz4Legacy(legacy([0x32, ...bytes('abc'), 3, 0, 0x10, ...bytes('!')]), 100)),
    'abcabcabc!',
  );
  // a run of 4 + 15 + 255 + 2 times "x" from one byte
  const run = unpackLz4Legacy(legacy([0x1f, ...bytes('x'), 1, 0, 255, 2, 0x10, ...bytes('y')]), 1000);
  assert.equal(String(run), `${'x'.repeat(277)}y`);
  // 15 + 5 literals
  assert.equal(String(unpackLz4Legacy(legacy([0xf0, 5, ...bytes('a'.repeat(20))]), 100)), 'a'.repeat(20));
});

test('blocks follow each other and do not see each other', () => {
  assert.equal(String(unpackLz4Legacy(legacy([0x10, 0x61], [0x10, 0x62]), 100)), 'ab');
  assert.throws(() => unpackLz4Legacy(legacy([0x10, 0x61], [0x00, 1, 0, 0x10, 0x62]), 100), /damaged/);
});

for (const [title, packed] of Object.entries({
  'literals that are not there': legacy([0x50, 0x61]),
  'a match before the beginning': legacy([0x10, 0x61, 2, 0, 0x10, 0x62]),
  'a match at no distance': legacy([0x10, 0x61, 0, 0, 0x10, 0x62]),
  'a length that never ends': legacy([0xf0, 255, 255]),
  'no distance': legacy([0x10, 0x61, 1]),
  'a block that is cut short': legacy([0x30, ...bytes('abc')]).subarray(0, -1),
})) {
  test(`damaged: ${title}`, () => {
    assert.throws(() => unpackLz4Legacy(packed, 100), /damaged|middle of a block/);
  });
}

test('more than the bound is refused', () => {
  assert.throws(
    () => unpackLz4Legacy(legacy([0x1f, 0x78, 1, 0, 255, 2, 0x10, 0x79]), 100),
    /more than 100 bytes/,
  );
});

test('what the lz4 program made (lz4 -l -9)', () => {
  const lines = Array.from(
    { length: 60 },
    (_, index) => `${index} ${(index * 7919) % 1009}: driver loaded\n`,
  );
  assert.equal(String(unpackLz4Legacy(Buffer.from(BY_LZ4.join(''), 'base64'), 10_000)), lines.join(''));
});

test('the magic number', () => {
  assert.ok(isLz4Legacy(MAGIC));
  assert.ok(!isLz4Legacy(Buffer.from('0422')));
});
