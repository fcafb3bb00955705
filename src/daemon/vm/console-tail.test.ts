import assert from 'node:assert/strict';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readConsoleTail } from './console-tail.ts';

test('the tail reaches back into the older file', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'banger-console-'));
  const path = join(folder.path, 'console.log');
  assert.equal(await readConsoleTail(path, 10), '');
  await writeFile(`${path}.1`, 'before\n');
  await writeFile(path, 'after\n');
  assert.equal(await readConsoleTail(path, 4), 'ter\n');
  assert.equal(await readConsoleTail(path, 9), 're\nafter\n');
  assert.equal(await readConsoleTail(path, 100), 'before\nafter\n');
});
