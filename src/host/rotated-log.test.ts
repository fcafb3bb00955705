import assert from 'node:assert/strict';
import { appendFile, mkdtempDisposable, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { olderLogPath } from '#base/older-log-path.ts';
import { RotatedLog } from './rotated-log.ts';

async function placeForLog() {
  const folder = await mkdtempDisposable(join(tmpdir(), 'bgr-log-'));
  const path = join(folder.path, 'console.log');
  const rotate = () => rename(path, olderLogPath(path));
  return { path, rotate, [Symbol.asyncDispose]: () => folder.remove() };
}

async function collect(chunks: AsyncIterable<Buffer>): Promise<string> {
  const all: Buffer[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all).toString();
}

test('the tail of two files is that of one', async () => {
  await using place = await placeForLog();
  await writeFile(olderLogPath(place.path), 'first\n');
  await writeFile(place.path, 'second\n');
  for (const [bytes, expected] of [
    [0, ''],
    [3, 'nd\n'],
    [7, 'second\n'],
    [9, 't\nsecond\n'],
    [100, 'first\nsecond\n'],
  ] as const) {
    await using log = new RotatedLog(place.path);
    assert.equal(await collect(log.readTail(bytes)), expected);
    assert.equal(await collect(log.readNew()), '');
  }
});

test('only an older file, and none at all', async () => {
  await using place = await placeForLog();
  await using early = new RotatedLog(place.path);
  assert.equal(await collect(early.readTail(100)), '');
  await writeFile(place.path, 'first\n');
  assert.equal(await collect(early.readNew()), 'first\n');
  await place.rotate();
  await using late = new RotatedLog(place.path);
  assert.equal(await collect(late.readTail(100)), 'first\n');
  await writeFile(place.path, 'second\n');
  assert.equal(await collect(early.readNew()), 'second\n');
  assert.equal(await collect(late.readNew()), 'second\n');
});

test('nothing is lost or repeated when the log is put aside between two looks', async () => {
  await using place = await placeForLog();
  await writeFile(place.path, 'one\n');
  await using log = new RotatedLog(place.path);
  assert.equal(await collect(log.readTail(100)), 'one\n');
  for (let round = 0; round < 3; round += 1) {
    await appendFile(place.path, `last of ${round}\n`);
    await place.rotate();
    assert.equal(await collect(log.readNew()), `last of ${round}\n`);
    await writeFile(place.path, `first after ${round}\n`);
    assert.equal(await collect(log.readNew()), `first after ${round}\n`);
    assert.equal(await collect(log.readNew()), '');
  }
});

test('a whole file between two looks is read; of two only the second', async () => {
  await using place = await placeForLog();
  await writeFile(place.path, 'a\n');
  await using log = new RotatedLog(place.path);
  assert.equal(await collect(log.readTail(100)), 'a\n');
  await place.rotate();
  await writeFile(place.path, 'b\n');
  await place.rotate();
  await writeFile(place.path, 'c\n');
  assert.equal(await collect(log.readNew()), 'b\nc\n');
});

test('a missed file whose inode was that of one already read is read', async () => {
  await using place = await placeForLog();
  await writeFile(olderLogPath(place.path), 'old\n');
  await writeFile(place.path, 'a\n');
  await using log = new RotatedLog(place.path);
  assert.equal(await collect(log.readTail(100)), 'old\na\n');
  await place.rotate();
  await writeFile(place.path, 'b\n'); // most file systems give a new file the number that was freed last
  await place.rotate();
  await writeFile(place.path, 'c\n');
  assert.equal(await collect(log.readNew()), 'b\nc\n');
});

test('a log that was cut, and one that is gone for good', async () => {
  await using place = await placeForLog();
  await writeFile(place.path, 'long enough\n');
  await using log = new RotatedLog(place.path);
  assert.equal(await collect(log.readTail(100)), 'long enough\n');
  await truncate(place.path, 0);
  await appendFile(place.path, 'cut\n');
  assert.equal(await collect(log.readNew()), 'cut\n');
  await rm(place.path);
  assert.equal(await collect(log.readNew()), '');
});

test('what was put aside is read before there is a new file, and once', async () => {
  await using place = await placeForLog();
  await writeFile(place.path, 'a\n');
  await using log = new RotatedLog(place.path);
  assert.equal(await collect(log.readTail(100)), 'a\n');
  await place.rotate();
  await writeFile(place.path, 'b\n');
  await place.rotate();
  assert.equal(await collect(log.readNew()), 'b\n');
  assert.equal(await collect(log.readNew()), '');
  await writeFile(place.path, 'c\n');
  assert.equal(await collect(log.readNew()), 'c\n');
  await rm(place.path);
  assert.equal(await collect(log.readNew()), '');
});

test('a writer that never rests loses nothing to a reader that follows', async () => {
  await using place = await placeForLog();
  await writeFile(place.path, '');
  await using log = new RotatedLog(place.path);
  let seen = await collect(log.readTail(1000));
  let written = '';
  const state = { isWriting: true, looks: 0, looksAtRotation: -1 };
  const nextTurn = () => new Promise(setImmediate);
  const writing = (async () => {
    for (let line = 0; line < 600; line += 1) {
      if (line % 5 === 4) {
        // What was put aside twice between two looks may be lost, so one has to end in between.
        while (state.looks === state.looksAtRotation) await nextTurn();
        await place.rotate();
        state.looksAtRotation = state.looks;
      }
      const text = `line ${line}\n`;
      await appendFile(place.path, text);
      written += text;
      await nextTurn();
    }
    state.isWriting = false;
  })();
  while (state.isWriting) {
    seen += await collect(log.readNew());
    state.looks += 1;
  }
  await writing;
  seen += await collect(log.readNew());
  assert.equal(seen, written);
});
