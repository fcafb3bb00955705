import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mke2fsArguments } from './mke2fs-arguments.ts';

test('writes inode tables and journal now, so that guests do not', () => {
  const args = mke2fsArguments({ label: 'banger-root', journalMiB: 32 }, '/in.tar', '/out.ext4');
  assert.ok(args.includes('lazy_itable_init=0,lazy_journal_init=0,root_owner=0:0'));
  assert.deepEqual(args.slice(args.indexOf('-J'), args.indexOf('-J') + 2), ['-J', 'size=32']);
  assert.match(args[args.indexOf('-O') + 1] ?? '', /^none,has_journal,/);
  assert.deepEqual(args.slice(-3), ['-d', '/in.tar', '/out.ext4']);
});

test('leaves the journal out of what is only read', () => {
  const args = mke2fsArguments({ label: 'banger-modules', journalMiB: 0 }, '/in', '/out.ext4');
  assert.ok(!args.includes('-J'));
  assert.ok(!args.join(' ').includes('has_journal'));
});
