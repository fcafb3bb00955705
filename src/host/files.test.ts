import assert from 'node:assert/strict';
import {
  chmod,
  mkdir,
  mkdtempDisposable,
  readFile,
  readdir,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  ensurePrivateFolder,
  isTemporaryName,
  pathExists,
  temporaryPathFor,
  writeFileAtomic,
} from './files.ts';

const newFolder = () => mkdtempDisposable(join(tmpdir(), 'banger-files-'));
const modeOf = async (path: string) => (await stat(path)).mode & 0o777;

test('a file is written whole, for its owner alone, and nothing else stays', async () => {
  await using folder = await newFolder();
  const path = join(folder.path, 'handles.json');
  await writeFileAtomic(path, 'text');
  assert.equal(await readFile(path, 'utf8'), 'text');
  assert.equal(await modeOf(path), 0o600);
  assert.deepEqual(await readdir(folder.path), ['handles.json']);
});

test('bytes are written as they are, and a mode as it was asked for', async () => {
  await using folder = await newFolder();
  const path = join(folder.path, 'program');
  const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
  await writeFileAtomic(path, bytes, 0o700);
  assert.deepEqual(new Uint8Array(await readFile(path)), bytes);
  assert.equal(await modeOf(path), 0o700);
});

test('a file that is there is replaced, its mode too', async () => {
  await using folder = await newFolder();
  const path = join(folder.path, 'handles.json');
  await writeFile(path, 'old and longer', { mode: 0o644 });
  await writeFileAtomic(path, 'new');
  assert.equal(await readFile(path, 'utf8'), 'new');
  assert.equal(await modeOf(path), 0o600);
});

test('a reader sees the old content or the new one, never a part', async () => {
  await using folder = await newFolder();
  const path = join(folder.path, 'state');
  const contents = ['a'.repeat(200_000), 'b'.repeat(100_000)];
  await writeFileAtomic(path, contents[0]!);
  const write = async () => {
    for (let round = 1; round < 20; round += 1) await writeFileAtomic(path, contents[round % 2]!);
  };
  const read = async () => {
    for (let round = 0; round < 100; round += 1) assert.ok(contents.includes(await readFile(path, 'utf8')));
  };
  await Promise.all([write(), read()]);
});

test('many writers of one file leave one whole content and no unfinished file', async () => {
  await using folder = await newFolder();
  const path = join(folder.path, 'state');
  const contents = Array.from({ length: 8 }, (_, index) => String(index).repeat(10_000));
  await Promise.all(contents.map((content) => writeFileAtomic(path, content)));
  assert.ok(contents.includes(await readFile(path, 'utf8')));
  assert.deepEqual(await readdir(folder.path), ['state']);
});

test('a link in the way is replaced, what it leads to is not written', async () => {
  await using folder = await newFolder();
  const target = join(folder.path, 'target');
  const path = join(folder.path, 'state');
  await writeFile(target, 'untouched');
  await symlink(target, path);
  await writeFileAtomic(path, 'new');
  assert.equal(await readFile(target, 'utf8'), 'untouched');
  assert.equal(await readFile(path, 'utf8'), 'new');
});

test('a write that fails leaves what was there and nothing unfinished', async () => {
  await using folder = await newFolder();
  const path = join(folder.path, 'state');
  await mkdir(join(path, 'full'), { recursive: true });
  await assert.rejects(writeFileAtomic(path, 'new'), { code: 'EISDIR' });
  assert.deepEqual(await readdir(folder.path), ['state']);
  await assert.rejects(writeFileAtomic(join(folder.path, 'missing', 'state'), 'new'), { code: 'ENOENT' });
});

test('a temporary name is beside its file, differs each time, and is recognised', () => {
  const path = '/srv/state/images/debian.raw';
  const temporary = temporaryPathFor(path);
  assert.match(temporary, /^\/srv\/state\/images\/\.debian\.raw\.[0-9a-f]{8}\.partial$/);
  assert.notEqual(temporaryPathFor(path), temporary);
  assert.ok(isTemporaryName(temporary.slice(temporary.lastIndexOf('/') + 1)));
});

test('only our own temporary names are recognised', () => {
  const others = [
    'debian.raw',
    '.debian.raw',
    'debian.raw.0123abcd.partial',
    '.x.partial',
    '.x.0123ABCD.partial',
    '.0123abcd.partial',
  ];
  for (const name of others) assert.equal(isTemporaryName(name), false, name);
});

test('a private folder is made with its parents, and one that is there is tightened and kept', async () => {
  await using folder = await newFolder();
  const path = join(folder.path, 'a', 'b');
  await ensurePrivateFolder(path);
  assert.equal(await modeOf(path), 0o700);
  assert.equal(await modeOf(join(folder.path, 'a')), 0o700);
  await writeFile(join(path, 'file'), '');
  await chmod(path, 0o755);
  await ensurePrivateFolder(path);
  assert.equal(await modeOf(path), 0o700);
  assert.deepEqual(await readdir(path), ['file']);
});

test('a path exists when something is there, a dangling link included', async () => {
  await using folder = await newFolder();
  const file = join(folder.path, 'file');
  assert.equal(await pathExists(file), false);
  await writeFile(file, '');
  assert.equal(await pathExists(file), true);
  assert.equal(await pathExists(folder.path), true);
  assert.equal(await pathExists(join(file, 'below a file')), false);
  await symlink('/nowhere/at/all', join(folder.path, 'dangling'));
  assert.equal(await pathExists(join(folder.path, 'dangling')), true);
});
