import assert from 'node:assert/strict';
import { test } from 'node:test';
import { splitAtDashes } from './argv.ts';

test('the words behind the first -- are kept as they are, later -- included', () => {
  const words = ['sh', '-c', 'exit "$1"', '--', '', ' ', '--help', "it's"];
  assert.deepEqual(splitAtDashes(['vm', 'run', '--rm', '--', ...words]), {
    own: ['vm', 'run', '--rm'],
    command: words,
  });
});

test('no -- is something else than nothing behind it', () => {
  assert.deepEqual(splitAtDashes(['vm', 'run']), { own: ['vm', 'run'], command: undefined });
  assert.deepEqual(splitAtDashes(['vm', 'run', '--']), { own: ['vm', 'run'], command: [] });
});
