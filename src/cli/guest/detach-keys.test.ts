import assert from 'node:assert/strict';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { filterDetachKeys } from './detach-keys.ts';

async function type(...chunks: string[]): Promise<{ passed: string; detached: number }> {
  let detached = 0;
  const filter = filterDetachKeys(() => (detached += 1));
  for (const chunk of chunks) filter.write(chunk);
  filter.end();
  return { passed: await text(filter), detached };
}

test('what is not a detach key passes', async () => {
  assert.deepEqual(await type('ls\r', '\x03\x04'), { passed: 'ls\r\x03\x04', detached: 0 });
});

test('Ctrl-P Ctrl-Q leaves, also in two pieces, and nothing follows', async () => {
  assert.deepEqual(await type('a\x10\x11b'), { passed: 'a', detached: 1 });
  assert.deepEqual(await type('a\x10', '\x11b'), { passed: 'a', detached: 1 });
});

test('Ctrl-P alone reaches the guest with the next key', async () => {
  assert.deepEqual(await type('\x10', 'x', '\x10\x10\x10y'), { passed: '\x10x\x10\x10\x10y', detached: 0 });
  assert.deepEqual(await type('\x10'), { passed: '\x10', detached: 0 });
  assert.deepEqual(await type('\x11\x10\x10\x11'), { passed: '\x11\x10', detached: 1 });
});
