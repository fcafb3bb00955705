import assert from 'node:assert/strict';
import { closeSync, openSync, writeSync } from 'node:fs';
import { mkdir, mkdtempDisposable, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { BoundedLog } from './bounded-log.ts';

async function openLog(maxBytes: number) {
  const folder = await mkdtempDisposable(join(tmpdir(), 'bgr-bounded-'));
  const path = join(folder.path, 'bangerd.log');
  const fd = openSync(path, 'a', 0o600);
  return {
    fd,
    path,
    log: new BoundedLog({ fd, path, maxBytes }),
    async [Symbol.asyncDispose]() {
      closeSync(fd);
      await folder.remove();
    },
  };
}

test('a log has two files of a bounded size, with the newest lines whole and in order', async () => {
  await using place = await openLog(1000);
  for (let line = 0; line < 500; line += 1) place.log.write(`line ${line}\n`);
  const older = await readFile(`${place.path}.1`, 'utf8');
  const newer = await readFile(place.path, 'utf8');
  assert.ok(older.length <= 1000 && newer.length <= 1000);
  const lines = (older + newer).trimEnd().split('\n');
  assert.equal(lines.at(-1), 'line 499');
  assert.deepEqual(
    lines,
    Array.from(lines, (_, index) => `line ${500 - lines.length + index}`),
  );
  assert.equal((await stat(`${place.path}.1`)).mode & 0o777, 0o600);
});

test('what others wrote to the descriptor counts, before and meanwhile, and leaves no hole', async () => {
  await using place = await openLog(100);
  writeSync(place.fd, 'x'.repeat(90));
  const second = new BoundedLog({ fd: place.fd, path: place.path, maxBytes: 100 });
  second.write('a'.repeat(20));
  assert.equal(await readFile(place.path, 'utf8'), 'a'.repeat(20));
  writeSync(place.fd, 'y'.repeat(50));
  second.write('b'.repeat(90));
  assert.equal(await readFile(place.path, 'utf8'), 'b'.repeat(90));
  assert.equal(await readFile(`${place.path}.1`, 'utf8'), 'a'.repeat(20) + 'y'.repeat(50));
});

test('a log that cannot be put aside is cut', async () => {
  await using place = await openLog(100);
  await mkdir(`${place.path}.1`);
  for (let line = 0; line < 50; line += 1) place.log.write('0123456789\n');
  assert.ok((await stat(place.path)).size <= 100);
});

test('a file that is not the log of this name is left alone', async () => {
  await using place = await openLog(10);
  await rm(place.path);
  for (let line = 0; line < 5; line += 1) place.log.write('0123456789\n');
  await assert.rejects(stat(`${place.path}.1`), { code: 'ENOENT' });
});

test('a disk that is full stops nobody', async (context) => {
  const full = openSync('/dev/full', 'a');
  context.after(() => closeSync(full));
  new BoundedLog({ fd: full, path: '/dev/full', maxBytes: 10 }).write('0123456789ab\n');
});
