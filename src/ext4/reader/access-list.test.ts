import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accessListFromDisk } from './access-list.ts';

test('an access list as ext4 keeps it becomes one as programs have it', () => {
  // user::rw-, user:1000:r--, group::r--, mask::r--, other::---
  const entries = ['01000600', '02000400e8030000', '04000400', '10000400', '20000000'];
  const disk = Buffer.from(['01000000', ...entries].join(''), 'hex');
  assert.equal(
    accessListFromDisk(disk).toString('hex'),
    [
      '02000000',
      '01000600ffffffff',
      '02000400e8030000',
      '04000400ffffffff',
      '10000400ffffffff',
      '20000000ffffffff',
    ].join(''),
  );
});

test('a damaged one is refused', () => {
  for (const hex of ['', '02000000', '0100000001', '010000000200040000']) {
    assert.throws(() => accessListFromDisk(Buffer.from(hex, 'hex')), { code: 'IMAGE_SOURCE_INVALID' }, hex);
  }
});
