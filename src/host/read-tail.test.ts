import assert from 'node:assert/strict';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readTail } from './read-tail.ts';

test('the tail is the last bytes, or everything where there is less', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'bgr-tail-'));
  const path = join(folder.path, 'console.log');
  await writeFile(path, 'first line\nlast line\n');
  assert.equal(await readTail(path, 10), 'last line\n');
  assert.equal(await readTail(path, 1000), 'first line\nlast line\n');
  assert.equal(await readTail(path, 0), '');
});

test('no file and an empty file have an empty tail', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'bgr-tail-'));
  const path = join(folder.path, 'console.log');
  assert.equal(await readTail(path, 100), '');
  await writeFile(path, '');
  assert.equal(await readTail(path, 100), '');
});

test('bytes that are no text, or half of a character, are replaced', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'bgr-tail-'));
  const path = join(folder.path, 'console.log');
  await writeFile(path, Buffer.concat([Buffer.from('é'), Buffer.from([0xff, 0x00]), Buffer.from('end')]));
  assert.equal(await readTail(path, 6), '\ufffd\ufffd\u0000end');
});

test('what cannot be read is an error', async () => {
  await assert.rejects(readTail(tmpdir(), 100), { code: 'EISDIR' });
});
