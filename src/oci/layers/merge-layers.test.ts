import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { after, before, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import {
  file,
  folder,
  hardLink,
  member,
  readMerged,
  symlink,
  tarOf,
  writeLayer,
} from '../../../test/support/layer-tar.ts';
import { mergeLayers } from './merge-layers.ts';

let place: string;
before(async () => {
  place = await mkdtemp(`${tmpdir()}/banger-layers-`);
});
after(() => rm(place, { recursive: true }));

let written = 0;
const layerOf = (...members: Buffer[]) => writeLayer(`${place}/${(written += 1)}.tar`, tarOf(...members));

async function merge(...layers: Buffer[][]) {
  const files = await Promise.all(layers.map((members) => layerOf(...members)));
  return mergeLayers(files);
}

/** What the merged tar has, by path, without the root; contents, link targets and kinds. */
async function contentsOf(...layers: Buffer[][]): Promise<Record<string, string>> {
  const members = await readMerged(await merge(...layers));
  const described = members.map(({ name, type, content, linkTarget }) => [
    name.slice(2),
    type === '0' ? content : type === '5' ? 'folder' : `${type === '1' ? 'link' : 'symlink'} ${linkTarget}`,
  ]);
  return Object.fromEntries(described.slice(1)) as Record<string, string>;
}

test('the last word on a path wins, in a later layer and in the same one', async () => {
  const lower = [folder('etc/'), file('etc/a', 'old'), file('etc/b', 'first'), file('etc/b', 'second')];
  assert.deepEqual(await contentsOf(lower, [file('etc/a', 'new')]), {
    'etc/': 'folder',
    'etc/a': 'new',
    'etc/b': 'second',
  });
});

test('each path comes once, folders before what is in them, files before their links', async () => {
  const merged = await merge([file('z/deep/x'), hardLink('a', 'z/deep/x')], [file('z/y'), file('./z//y')]);
  const names = (await readMerged(merged)).map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  for (const name of names) {
    const parent = name.replace(/[^/]+\/?$/, '');
    assert.ok(name === './' || names.indexOf(parent) < names.indexOf(name), `${name} before ${parent}`);
  }
  const entries = merged.entries;
  assert.equal(entries, names.length);
});

test('whiteouts take away what lower layers have, and nothing of their own layer', async () => {
  const lower = [file('a'), file('d/x'), file('d/y'), file('e/x')];
  const upper = [
    file('e/new'),
    file('.wh.a', ''),
    file('.wh.d', ''),
    file('d/z'),
    file('.wh.e', ''),
    file('.wh.none', ''),
  ];
  assert.deepEqual(await contentsOf(lower, upper), {
    ...{ 'e/': 'folder', 'e/new': 'e/new' },
    ...{ 'd/': 'folder', 'd/z': 'd/z' },
  });
});

test('an opaque folder keeps only what its own layer has, wherever the mark stands', async () => {
  const lower = [file('d/old'), file('d/sub/old')];
  const upper = [file('d/new'), file('d/sub/new'), file('d/.wh..wh..opq', '')];
  assert.deepEqual(await contentsOf(lower, upper), {
    ...{ 'd/': 'folder', 'd/new': 'd/new' },
    ...{ 'd/sub/': 'folder', 'd/sub/new': 'd/sub/new' },
  });
});

test('hard links reach into lower layers, and outlive the first name', async () => {
  const contents = await contentsOf(
    [file('a', 'shared')],
    [hardLink('b', 'a'), hardLink('c', './b')],
    [file('.wh.a', ''), file('c', 'own')],
  );
  assert.deepEqual(contents, { b: 'shared', c: 'own' });
});

test('hard links keep pointing at one file', async () => {
  const contents = await contentsOf([file('a', 'shared')], [hardLink('d/b', 'a'), hardLink('a', 'a')]);
  assert.deepEqual(contents, { 'd/': 'folder', a: 'shared', 'd/b': 'link ./a' });
});

test('a further name of a symlink comes after its own folder', async () => {
  const merged = await merge([symlink('a', 'target'), folder('d/'), hardLink('d/b', 'a')]);
  const members = await readMerged(merged);
  assert.deepEqual(
    members.map(({ name, type, linkTarget }) => [name, type, linkTarget]),
    [
      ['./', '5', ''],
      ['./a', '2', 'target'],
      ['./d/', '5', ''],
      ['./d/b', '1', './a'],
    ],
  );
});

test('a folder in place of a symlink replaces it; a folder in place of a folder keeps what is in it', async () => {
  const contents = await contentsOf(
    [symlink('lib', 'usr/lib'), file('usr/lib/x'), file('f/x')],
    [folder('lib/'), file('lib/y'), folder('usr/lib/'), file('f', 'a file now')],
  );
  assert.deepEqual(contents, {
    ...{ 'lib/': 'folder', 'lib/y': 'lib/y', f: 'a file now' },
    ...{ 'usr/': 'folder', 'usr/lib/': 'folder', 'usr/lib/x': 'usr/lib/x' },
  });
});

test('metadata comes through as it was', async () => {
  const capability = { name: 'security.capability', value: Buffer.from([1, 0, 0, 2, 0, 0x20, 0, 10]) };
  const foreign = { name: 'com.apple.provenance', value: Buffer.from([1]) };
  const details = { mode: 0o6755, uid: 4_000_000_000, gid: 7, mtime: -5, xattrs: [capability, foreign] };
  const merged = await merge([
    member({ name: './', type: '5', mode: 0o1777, uid: 3 }),
    file('x', 'x', details),
    member({ name: 'null', type: '3', major: 1, minor: 3 }),
  ]);
  const [root, device, found] = await readMerged(merged);
  assert.deepEqual([root?.mode, root?.uid], [0o1777, 3]);
  assert.deepEqual([device?.type, device?.major, device?.minor], ['3', 1, 3]);
  const { mode, uid, gid, mtime, xattrs } = found!;
  assert.deepEqual({ mode, uid, gid, mtime, xattrs }, { ...details, xattrs: [capability] });
  assert.deepEqual([...merged.attributes()], [{ path: 'x', ...capability }]);
});

test('names and link targets are bytes, whatever they are', async () => {
  const odd = Buffer.from([0x66, 0xff, 0xfe, 0x20, 0x22, 0x5c, 0x27, 0x09, 0xc3, 0xa9]).toString('latin1');
  const long = `${'\xff'.repeat(200)}/${'y'.repeat(255)}`;
  const contents = await contentsOf([
    file(odd, 'odd'),
    file(long, 'long'),
    symlink('s', `${odd}/${long}`),
    hardLink('h', long),
  ]);
  assert.equal(contents[odd], 'odd');
  assert.equal(contents[long], 'long');
  assert.equal(contents['h'], `link ./${long}`);
  assert.equal(contents['s'], `symlink ${odd}/${long}`);
});

test('gzip, zstd and plain layers are told by their bytes, in several frames too', async () => {
  const tar = tarOf(file('a', 'a'.repeat(9000)));
  const halves = [tar.subarray(0, 3000), tar.subarray(3000)];
  const ways = [gzipSync, zstdCompressSync, () => tar].flatMap((way) => [
    () => way(tar),
    () => (way.length === 0 ? tar : Buffer.concat(halves.map((half) => way(half)))),
  ]);
  for (const [index, compress] of ways.entries()) {
    const layer = await writeLayer(`${place}/way-${index}`, tar, { compress });
    const [, found] = await readMerged(await mergeLayers([layer]));
    assert.equal(found?.content.length, 9000);
  }
});

test('no layer at all makes an empty root, and the tar may be read again', async () => {
  const merged = await mergeLayers([]);
  for (let time = 0; time < 2; time += 1) {
    assert.deepEqual(
      (await readMerged(merged)).map(({ name }) => name),
      ['./'],
    );
  }
});

test('reading can be given up at any point, and leaves no file open', async () => {
  const layer = await layerOf(file('a', 'a'.repeat(10_000_000)), file('b'));
  const merged = await mergeLayers([layer]);
  const stream = merged.open();
  for await (const chunk of stream) if (chunk) break;
  const held = await readdir('/proc/self/fd');
  const aborted = new AbortController();
  aborted.abort(new Error('enough'));
  await assert.rejects(mergeLayers([layer], { signal: aborted.signal }), /enough/);
  assert.ok((await readdir('/proc/self/fd')).length <= held.length);
});
