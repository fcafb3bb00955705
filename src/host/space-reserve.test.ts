import assert from 'node:assert/strict';
import { mkdtempDisposable, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathExists } from './files.ts';
import { SpaceReserve } from './space-reserve.ts';

test('room is kept once, and given back once', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'banger-reserve-'));
  const path = join(folder.path, 'reserve');
  const reserve = new SpaceReserve(path);
  assert.equal(reserve.release(), false, 'there is none yet');
  await reserve.keep();
  const { size, blocks, mtimeMs } = await stat(path);
  assert.ok(size >= 2 ** 20 && blocks * 512 >= size, 'it really takes the room');
  await reserve.keep();
  assert.equal((await stat(path)).mtimeMs, mtimeMs, 'what is there is not written again');
  assert.equal(reserve.release(), true);
  assert.equal(await pathExists(path), false);
  assert.equal(reserve.release(), false);
});

test('nothing is taken where there is hardly any room', async () => {
  const reserve = new SpaceReserve('/proc/reserve'); // a file system without any
  await reserve.keep();
  assert.equal(reserve.release(), false);
  assert.equal(await reserve.leavesRoom(), false);
});
