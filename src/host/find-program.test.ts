import assert from 'node:assert/strict';
import { mkdir, mkdtempDisposable, readdir, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { findProgram } from './find-program.ts';

/** A name that no system folder has. */
const NAME = 'banger-test-program';

/** Folders `first` and `second`, and a program of this name in those that are named. */
async function newFolders(programs: Partial<Record<'first' | 'second', number>>) {
  const folder = await mkdtempDisposable(join(tmpdir(), 'banger-programs-'));
  const first = join(folder.path, 'first');
  const second = join(folder.path, 'second');
  await Promise.all([mkdir(first), mkdir(second)]);
  for (const [name, mode] of Object.entries(programs)) {
    await writeFile(join(folder.path, name, NAME), '#!/bin/sh\n', { mode });
  }
  return { first, second, [Symbol.asyncDispose]: () => folder.remove() };
}

test('a program is found by its full path, in the first folder that has it', async () => {
  await using folders = await newFolders({ first: 0o755, second: 0o755 });
  assert.equal(await findProgram(NAME, `${folders.first}:${folders.second}`), join(folders.first, NAME));
  assert.equal(await findProgram(NAME, `${folders.second}:${folders.first}`), join(folders.second, NAME));
});

test('what cannot be executed is passed over', async () => {
  await using folders = await newFolders({ first: 0o644, second: 0o755 });
  assert.equal(await findProgram(NAME, `${folders.first}:${folders.second}`), join(folders.second, NAME));
});

test('a folder of that name is no program', async () => {
  await using folders = await newFolders({ second: 0o755 });
  await mkdir(join(folders.first, NAME));
  assert.equal(await findProgram(NAME, `${folders.first}:${folders.second}`), join(folders.second, NAME));
});

test('a link to a program is one; a link to nothing is not', async () => {
  await using folders = await newFolders({ second: 0o755 });
  await symlink(join(folders.second, NAME), join(folders.first, NAME));
  assert.equal(await findProgram(NAME, folders.first), join(folders.first, NAME));
  await symlink('/nowhere/at/all', join(folders.first, 'banger-dangling'));
  assert.equal(await findProgram('banger-dangling', folders.first), undefined);
});

test('system folders are searched although the path lacks them', async () => {
  const [name] = await readdir('/usr/sbin');
  assert.match((await findProgram(name!, '')) ?? '', /^\/.*sbin\/[^/]+$/);
});

test('entries that are empty or relative do not mean the current folder', async (t) => {
  await using folders = await newFolders({ first: 0o755 });
  const before = process.cwd();
  t.after(() => process.chdir(before));
  process.chdir(folders.first);
  for (const searchPath of ['', '.', ':', './', '::.'])
    assert.equal(await findProgram(NAME, searchPath), undefined, searchPath);
  process.chdir(before);
});

test('a folder that is not there does not end the search', async () => {
  await using folders = await newFolders({ second: 0o755 });
  assert.equal(await findProgram(NAME, `/nowhere/at/all:${folders.second}`), join(folders.second, NAME));
});
