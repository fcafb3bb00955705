import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { after, before, test } from 'node:test';
import { GiB, MiB } from '#base/sizes.ts';
import { isUserError } from '#contract/errors.ts';
import { makeFilesystem } from '#ext4/make-filesystem.ts';
import { Ext4Reader, ROOT_INODE } from '#ext4/reader/ext4-reader.ts';
import { allocatedBytes } from '#ext4/sparse-file.ts';
import type { FileTree, NodeInode, TreeNode } from '#ext4/writer/file-tree.ts';
import { run } from './ext4-entry.ts';

const INODE: NodeInode = {
  ...{ kind: 'file', mode: 0o644, uid: 0, gid: 0, mtime: 1_000_000_000 },
  ...{ size: 0, target: '', major: 0, minor: 0 },
};

let place: string;
before(async () => {
  place = await mkdtemp(`${tmpdir()}/banger-writer-`);
});
after(() => rm(place, { recursive: true }));

const leaf = (name: string, inode: Partial<NodeInode> = {}): TreeNode => ({
  ...{ name, children: undefined },
  inode: { ...INODE, ...inode },
});

function folder(name: string, children: TreeNode[]): TreeNode {
  const inode: NodeInode = { ...INODE, kind: 'directory', mode: 0o755 };
  return { name, inode, children: new Map(children.map((child) => [child.name, child])) };
}

/** Files whose content is their size in bytes of one value. */
function treeOf(children: TreeNode[], filler = 0): FileTree {
  const root = folder('', children);
  const piece = Buffer.alloc(MiB, filler);
  const read: FileTree['contents'][number] = async (take, { signal }) => {
    for (const { inode } of children) {
      for (let offset = 0; inode.kind === 'file' && offset < inode.size; offset += piece.length) {
        signal?.throwIfAborted();
        await take(inode, offset, piece.subarray(0, inode.size - offset));
      }
    }
  };
  return { root, attributes: () => [], contents: [read] };
}

interface Made {
  sizeBytes?: number;
  signal?: AbortSignal;
}

async function make(tree: FileTree, { sizeBytes = 64 * MiB, signal }: Made = {}): Promise<string> {
  const path = `${place}/x.ext4`;
  await rm(path, { force: true });
  const spec = { path, sizeBytes, label: 'test', journalMiB: 4, workFolder: place };
  await makeFilesystem({ ...spec, source: { tree } }, { signal });
  await run('e2fsck', ['-fn', path]);
  return path;
}

async function readRoot(path: string): Promise<Map<string, Buffer | string[]>> {
  await using reader = await Ext4Reader.open(path);
  const found = new Map<string, Buffer | string[]>();
  for (const { name, inode } of await reader.folder(await reader.inode(ROOT_INODE))) {
    const file = await reader.inode(inode);
    if (file.kind === 'directory')
      found.set(
        name,
        (await reader.folder(file)).map((one) => one.name),
      );
    else found.set(name, Buffer.concat(await Array.fromAsync(reader.content(file))));
  }
  return found;
}

async function refused(tree: FileTree, code: 'DISK_TOO_SMALL' | 'IMAGE_BUILD_FAILED', made?: Made) {
  await assert.rejects(make(tree, made), (error) => isUserError(error, code));
  assert.deepEqual(await readdir(place), [], 'nothing is left of it');
}

test('an empty tree becomes a file system with nothing but lost+found', async () => {
  const found = await readRoot(await make(treeOf([])));
  assert.deepEqual([...found], [['lost+found', []]]);
});

test('a lost+found of the tree’s own is the one', async () => {
  const found = await readRoot(await make(treeOf([folder('lost+found', [leaf('a')])])));
  assert.deepEqual([...found], [['lost+found', ['a']]]);
  await refused(treeOf([leaf('lost+found')]), 'IMAGE_BUILD_FAILED');
});

test('files of every size around a block, and beyond what one extent holds', async () => {
  const sizes = [0, 1, 4095, 4096, 4097, MiB - 1, MiB, MiB + 1, 150 * MiB + 5];
  const children = sizes.map((size) => leaf(`${size}`, { size }));
  const found = await readRoot(await make(treeOf(children, 7), { sizeBytes: 512 * MiB }));
  for (const size of sizes) {
    const content = found.get(`${size}`);
    assert.ok(Buffer.isBuffer(content) && content.equals(Buffer.alloc(size, 7)), `${size} bytes`);
  }
});

test('a file of more extents than an inode holds; zeroes take no space on the host', async () => {
  const path = await make(treeOf([leaf('large', { size: GiB }), leaf('next', { size: 3 })]), {
    sizeBytes: 2 * GiB,
  });
  assert.ok((await allocatedBytes(path)) < 16 * MiB);
  const { stdout } = await run('debugfs', ['-R', 'ex /large', path]);
  assert.match(stdout, /0\/ 1 {3}1\/ {2}1/, 'its extents stand in a block of their own');
  await using reader = await Ext4Reader.open(path);
  const [large] = (await reader.folder(await reader.inode(ROOT_INODE))).filter(
    ({ name }) => name === 'large',
  );
  assert.equal((await reader.inode(large?.inode ?? 0)).size, GiB);
});

test('a folder of many blocks, and one of many folders', async () => {
  const names = Array.from({ length: 5000 }, (_, index) => `${'n'.repeat(index % 250)}-${index}`);
  const folders = names.slice(0, 300).map((name) => folder(name, []));
  const path = await make(
    treeOf([
      folder(
        'many',
        names.map((name) => leaf(name)),
      ),
      folder('folders', folders),
    ]),
    {
      sizeBytes: 256 * MiB,
    },
  );
  const found = await readRoot(path);
  assert.deepEqual(found.get('many'), names);
  assert.equal(found.get('folders')?.length, 300);
});

test('what does not fit is refused: content, files, links', async () => {
  await refused(treeOf([leaf('large', { size: 100 * MiB })]), 'DISK_TOO_SMALL');
  await refused(treeOf(Array.from({ length: 5000 }, (_, index) => leaf(`${index}`))), 'DISK_TOO_SMALL');
  const inode = { ...INODE };
  const links = Array.from({ length: 65_001 }, (_, index) => ({ ...leaf(`${index}`), inode }));
  await refused(treeOf(links), 'IMAGE_BUILD_FAILED');
});

test('it can be cancelled, and what the contents fail with is what it fails with', async () => {
  const reason = new Error('enough');
  const aborting = new AbortController();
  const children = [leaf('a', { size: 20 * MiB })];
  const tree = treeOf(children, 1);
  const [read] = tree.contents;
  const contents: FileTree['contents'] = [
    async (take, options) => {
      aborting.abort(reason);
      await read?.(take, options);
    },
  ];
  await assert.rejects(make({ ...tree, contents }, { signal: aborting.signal }), reason);
  const failing: FileTree['contents'] = [() => Promise.reject(reason)];
  await assert.rejects(make({ ...tree, contents: failing }), reason);
  assert.deepEqual(await readdir(place), []);
});
