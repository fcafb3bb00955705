import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { GiB, KiB, MiB, formatSize, parseSize } from './sizes.ts';

test('parseSize reads every spelling of a binary unit', () => {
  const examples: [string, number][] = [
    ['1073741824', GiB],
    ['512M', 512 * MiB],
    ['512m', 512 * MiB],
    ['8G', 8 * GiB],
    ['8GB', 8 * GiB],
    ['8GiB', 8 * GiB],
    [' 8 gib ', 8 * GiB],
    ['1.5G', 1.5 * GiB],
    ['0.5k', 512],
    ['17B', 17],
    ['2T', 2048 * GiB],
    ['0', 0],
  ];
  for (const [text, bytes] of examples) assert.equal(parseSize(text), bytes, text);
});

test('parseSize refuses what is no size', () => {
  for (const text of [
    '',
    'G',
    '-1G',
    '+1G',
    '1e9',
    '0x10',
    '1,5G',
    '1 000',
    '8GG',
    '8iB',
    '8GiBs',
    '1P',
    'Infinity',
    'NaN',
  ]) {
    assert.equal(parseSize(text), undefined, text);
  }
});

test('parseSize refuses fractions of a byte and what a double cannot hold exactly', () => {
  for (const text of ['1.5', '0.1k', '9007199254740992', '9000T', '9'.repeat(400)])
    assert.equal(parseSize(text), undefined, text);
});

test('formatSize takes the largest unit that keeps the number at 1 or more', () => {
  const examples: [number, string][] = [
    [0, '0 B'],
    [17, '17 B'],
    [1023, '1023 B'],
    [KiB, '1 KiB'],
    [1.5 * GiB, '1.5 GiB'],
    [223 * MiB + 1, '223 MiB'],
    [2048 * GiB, '2 TiB'],
    [4096 * 1024 * GiB, '4096 TiB'],
  ];
  for (const [bytes, text] of examples) assert.equal(formatSize(bytes), text);
});

test('formatSize rounds up into the next unit, never to 1024 of one', () => {
  assert.equal(formatSize(MiB - 1), '1.0 MiB');
  assert.equal(formatSize(GiB - 1), '1.0 GiB');
});

test('what formatSize writes, parseSize reads as nearly the same size', () => {
  fc.assert(
    fc.property(fc.nat({ max: 2 ** 40 }), (bytes) => {
      const read = parseSize(formatSize(bytes).replace(/\.\d/, '')) as number;
      assert.ok(Math.abs(read - bytes) <= bytes / 2, `${bytes} was read as ${read}`);
    }),
  );
});
