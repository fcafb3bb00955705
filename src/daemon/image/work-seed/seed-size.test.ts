import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GiB, MiB } from '#base/sizes.ts';
import { NO_CONTENT, type HomeEntry } from './home.ts';
import { seedSize } from './seed-size.ts';

const ENTRY: HomeEntry = {
  ...{ path: 'a', kind: 'file', mode: 0o644, uid: 0, gid: 0, mtime: 0, major: 0, minor: 0 },
  ...{ attributes: [], target: '', content: NO_CONTENT },
};
const sized = (size: number): HomeEntry => ({ ...ENTRY, content: { size, bytes: Buffer.alloc(0) } });

test('a small home has 512 MiB', () => {
  assert.equal(seedSize([]), 512 * MiB);
  assert.equal(seedSize([sized(200 * MiB)]), 512 * MiB);
});

test('a larger one has 256 MiB of room at least, in steps of 64 MiB', () => {
  for (const content of [300 * MiB, GiB, 5 * GiB + 1]) {
    const size = seedSize([sized(content)]);
    assert.equal(size % (64 * MiB), 0);
    assert.ok(size >= content + 256 * MiB && size <= content * 1.05 + 384 * MiB, `${content}: ${size}`);
  }
});

test('one with many files has inodes for them; a file with two names counts once', () => {
  assert.ok(seedSize(Array.from({ length: 100_000 }, () => ENTRY)) > 100_000 * 16_384);
  assert.equal(
    seedSize([sized(400 * MiB), { ...sized(400 * MiB), sameAs: 'a' }]),
    seedSize([sized(400 * MiB)]),
  );
});
