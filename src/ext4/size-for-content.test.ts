import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GiB, MiB } from '#base/sizes.ts';
import { sizeForContent } from './size-for-content.ts';

const journalMiB = 64;

test('has room beyond the content, in whole groups of blocks', () => {
  const size = sizeForContent({ entries: 1000, contentBytes: 4 * GiB, journalMiB });
  assert.ok(size > 5 * GiB && size < 5.2 * GiB, `${size}`);
  assert.equal(size % (4 * MiB), 0);
});

test('has an inode for each of many small files', () => {
  const size = sizeForContent({ entries: 100_000, contentBytes: 0, journalMiB });
  assert.ok(size / 16384 > 100_000, `${size}`);
});

test('is never too small to work in', () => {
  assert.equal(sizeForContent({ entries: 1, contentBytes: 0, journalMiB }), 512 * MiB);
});
