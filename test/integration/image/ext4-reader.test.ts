import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  readlink,
  rm,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { after, before, describe, test } from 'node:test';
import { isUserError } from '#contract/errors.ts';
import { readHome } from '#daemon/image/work-seed/read-home.ts';
import { Ext4Reader, ROOT_INODE } from '#ext4/reader/ext4-reader.ts';
import type { Inode } from '#ext4/reader/inode.ts';
import { run } from './ext4-entry.ts';

const MANY = 1500;
const LAYOUTS: Record<string, readonly string[]> = {
  'ext4 as Debian makes it': ['-t', 'ext4'],
  'ext4 with blocks of 1 KiB': ['-t', 'ext4', '-b', '1024'],
  'ext4 with small inodes and descriptors': ['-t', 'ext4', '-I', '128', '-O', '^64bit,^metadata_csum'],
  'ext4 with content in inodes': ['-t', 'ext4', '-O', 'inline_data'],
  ext3: ['-t', 'ext3'],
  'ext2 with blocks of 1 KiB': ['-t', 'ext2', '-b', '1024'],
  'ext2 without types in folders': ['-t', 'ext2', '-O', '^filetype'],
};

describe('reading ext4', () => {
  let folder: string;
  let tree: string;

  before(async () => {
    folder = await mkdtemp(`${tmpdir()}/bgr-reader-`);
    tree = `${folder}/tree`;
    await mkdir(`${tree}/root/deep/er`, { recursive: true });
    await mkdir(`${tree}/many`);
    for (let index = 0; index < MANY; index += 1)
      await writeFile(`${tree}/many/${'n'.repeat(40)}${index}`, '');
    await writeFile(`${tree}/root/small`, 'small');
    await writeFile(`${tree}/root/inline`, 'i'.repeat(120));
    await writeFile(`${tree}/root/large`, Buffer.alloc(20 * 2 ** 20, 'large '));
    await writeFile(`${tree}/root/empty`, '');
    const sparse = await open(`${tree}/root/sparse`, 'w');
    for (const at of [0, 100_000, 3_000_000, 12_345_670]) await sparse.write('data', at);
    await sparse.close();
    await symlink('short', `${tree}/root/deep/link`);
    await symlink('l/'.repeat(500), `${tree}/root/deep/long-link`);
    await writeFile(`${tree}/root/line\nbreak "quote" \\ back`, 'odd');
    await chmod(`${tree}/root/small`, 0o4751);
  });
  after(() => rm(folder, { recursive: true }));

  async function make(name: string, args: readonly string[]): Promise<string> {
    const path = `${folder}/${name.replaceAll(' ', '-')}.img`;
    await writeFile(path, '');
    await truncate(path, 96 * 2 ** 20);
    await run('mke2fs', ['-q', '-F', ...args, '-d', tree, path]);
    return path;
  }

  for (const [name, args] of Object.entries(LAYOUTS)) {
    test(name, async () => {
      const path = await make(name, args);
      await using reader = await Ext4Reader.open(path);
      const [found, expected] = [await readAll(reader), await readFolder(tree)];
      assert.deepEqual(found.slice(-20), expected.slice(-20));
      assert.equal(JSON.stringify(found), JSON.stringify(expected));
      await rm(path);
    });
  }

  test('a file that ends in a hole', async () => {
    await mkdir(`${folder}/hole`);
    await writeFile(`${folder}/hole/file`, 'data');
    await truncate(`${folder}/hole/file`, 3_456_789);
    const path = `${folder}/hole.img`;
    await writeFile(path, '');
    await truncate(path, 2 ** 22);
    await run('mke2fs', ['-q', '-F', '-t', 'ext4', '-d', `${folder}/hole`, path]);
    await using reader = await Ext4Reader.open(path);
    const found = (await readAll(reader)).map(({ content }) => content);
    assert.deepEqual(found, [await hashOf([await readFile(`${folder}/hole/file`)])]);
  });

  test('what is damaged is refused or read, and always comes to an end', { timeout: 120_000 }, async () => {
    const path = `${folder}/fuzz.img`;
    await mkdir(`${folder}/few/root/deep`, { recursive: true });
    await writeFile(`${folder}/few/root/deep/file`, Buffer.alloc(50_000, 'x'));
    await symlink('x'.repeat(100), `${folder}/few/root/link`);
    await writeFile(path, '');
    await truncate(path, 2 ** 20);
    await run('mke2fs', ['-q', '-F', '-t', 'ext4', '-b', '1024', '-N', '32', '-d', `${folder}/few`, path]);
    await run('debugfs', ['-w', '-R', 'ea_set /root/deep user.note something', path]);
    const sound = await readFile(path);
    const random = randomNumbers(7);
    const ends = { read: 0, refused: 0 };
    for (let round = 0; round < 400; round += 1) {
      const damaged = Buffer.from(sound);
      for (let index = 0; index < 30; index += 1) {
        const at = random(damaged.length);
        // Zeros stay: nearly all bytes are free space, of which nobody asks.
        const used = damaged.indexOf(1, at);
        damaged[used < 0 ? at : used + random(3)] = random(256);
      }
      await writeFile(path, damaged);
      ends[await attempt(path)] += 1;
    }
    assert.ok(ends.read > 20 && ends.refused > 20, JSON.stringify(ends));
  });

  test('what is no ext4 at all', async () => {
    const path = `${folder}/nothing`;
    await writeFile(path, 'short');
    await assert.rejects(Ext4Reader.open(path), { code: 'IMAGE_SOURCE_INVALID', message: /it is not ext4/ });
    await writeFile(path, Buffer.alloc(8192));
    await assert.rejects(Ext4Reader.open(path), { code: 'IMAGE_SOURCE_INVALID' });
  });

  async function attempt(path: string): Promise<'read' | 'refused'> {
    try {
      await using reader = await Ext4Reader.open(path);
      const { entries } = await readHome(reader);
      for (const { content } of entries) {
        if ('bytes' in content) continue;
        for await (const part of reader.content(content.inode)) assert.ok(part.length > 0);
      }
      return 'read';
    } catch (error) {
      assert.ok(
        isUserError(error, 'IMAGE_SOURCE_INVALID') || isUserError(error, 'IMAGE_TOO_LARGE'),
        String(error),
      );
      return 'refused';
    }
  }
});

interface Found {
  path: string;
  mode: number;
  mtime: number;
  content: string;
}

/** `lost+found` is mke2fs's own. */
async function readAll(reader: Ext4Reader): Promise<Found[]> {
  const found: Found[] = [];
  const look = async (path: string, inode: Inode): Promise<void> => {
    const { mode, mtime, kind } = inode;
    if (path === '/lost+found') return;
    if (kind === 'directory') {
      if (path !== '') found.push({ path, mode, mtime, content: 'a folder' });
      for (const entry of await reader.folder(inode))
        await look(`${path}/${entry.name}`, await reader.inode(entry.inode));
      return;
    }
    if (kind === 'symlink') found.push({ path, mode, mtime, content: await reader.linkTarget(inode) });
    else found.push({ path, mode, mtime, content: await hashOf(reader.content(inode)) });
  };
  await look('', await reader.inode(ROOT_INODE));
  return sorted(found);
}

async function readFolder(tree: string): Promise<Found[]> {
  const found: Found[] = [];
  for (const name of await readdir(tree, { recursive: true })) {
    const stat = await lstat(`${tree}/${name}`);
    const entry = { path: `/${name}`, mode: stat.mode & 0o7777, mtime: Math.floor(stat.mtimeMs / 1000) };
    if (stat.isDirectory()) found.push({ ...entry, content: 'a folder' });
    else if (stat.isSymbolicLink()) found.push({ ...entry, content: await readlink(`${tree}/${name}`) });
    else found.push({ ...entry, content: await hashOf([await readFile(`${tree}/${name}`)]) });
  }
  return sorted(found);
}

async function hashOf(parts: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<string> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const part of parts) {
    hash.update(part);
    bytes += part.length;
  }
  return `${bytes} ${hash.digest('hex')}`;
}

const sorted = (found: Found[]) => found.toSorted((one, other) => (one.path < other.path ? -1 : 1));

/** The same ones each time. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * below);
  };
}
