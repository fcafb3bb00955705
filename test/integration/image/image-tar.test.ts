import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { after, before, test } from 'node:test';
import { MiB } from '#base/sizes.ts';
import { isUserError } from '#contract/errors.ts';
import { imageTar, type TarLimits } from '#daemon/image/image-tar.ts';
import { makeFilesystem } from '#ext4/make-filesystem.ts';
import { Ext4Reader } from '#ext4/reader/ext4-reader.ts';
import { mergeLayers } from '#oci/layers/merge-layers.ts';
import { ByteSource } from '#oci/layers/byte-source.ts';
import { readTar } from '#oci/layers/read-tar.ts';
import { paddedSizeOf } from '#oci/layers/tar-header.ts';
import { file, folder, hardLink, member, symlink, tarOf, writeLayer } from '../../support/layer-tar.ts';
import { run } from './ext4-entry.ts';

const CAPABILITY = Buffer.from('0100000200200000000000000000000000000000', 'hex');
const capable = [{ name: 'security.capability', value: CAPABILITY }];
const noted = [{ name: 'user.note', value: Buffer.from([0, 1, 255, 10]) }, ...capable];
const odd = 'odd "name\\ \xff\xe9';

const ORIGINAL = tarOf(
  folder('./', { mode: 0o751, uid: 5, mtime: 900_000_000 }),
  folder('bin/'),
  file('bin/su', 'setuid', { mode: 0o4755, uid: 70_000, gid: 4_000_000_000 }),
  file('bin/ping', 'capable', { mode: 0o755, xattrs: capable }),
  hardLink('bin/ping6', 'bin/ping'),
  symlink('bin/sh', 'busybox'),
  symlink('bin/long', 'x/'.repeat(400)),
  folder('dev/', { mtime: 5 }),
  member({ name: 'dev/null', type: '3', mode: 0o666, major: 1, minor: 3 }),
  member({ name: 'dev/loop', type: '4', mode: 0o660, gid: 6, major: 7, minor: 300 }),
  member({ name: 'dev/pipe', type: '6', mode: 0o600 }),
  folder('etc/', { mode: 0o3700, xattrs: noted }),
  file('etc/empty', ''),
  file(odd, 'odd', { mtime: 6_000_000_000, xattrs: noted }),
  folder(`${'é'.repeat(120)}/`),
  file(`${'é'.repeat(120)}/${'\xfe'.repeat(250)}`, 'long'),
  file('large', 'x'.repeat(3_000_000), { mode: 0 }),
);

let place: string;
before(async () => {
  place = await mkdtemp(`${tmpdir()}/banger-export-`);
});
after(() => rm(place, { recursive: true }));

async function makeImage(name: string, tar: Buffer): Promise<string> {
  const merged = await mergeLayers([await writeLayer(`${place}/${name}.tar`, tar)]);
  const path = `${place}/${name}.ext4`;
  const shape = { path, label: 'test', journalMiB: 4, sizeBytes: 64 * MiB, workFolder: place };
  await makeFilesystem({ ...shape, source: { tree: merged.tree } });
  await run('e2fsck', ['-fn', path]);
  return path;
}

async function exported(path: string, limits?: TarLimits): Promise<Buffer> {
  await using reader = await Ext4Reader.open(path);
  return Buffer.concat(await Array.fromAsync(imageTar(reader, { ...(limits && { limits }) })));
}

/** A line for each member. */
async function listed(tar: Buffer): Promise<string[]> {
  await using source = new ByteSource(
    (async function* () {
      yield tar;
    })(),
  );
  const lines: string[] = [];
  for await (const { index: _, ...header } of readTar(source)) {
    const content = await source.take(paddedSizeOf(header.size));
    const name = header.name.replace(/^(?:\.\/)?(.*?)\/?$/, './$1');
    const linkTarget = header.type === '1' ? header.linkTarget.replace(/^(?!\.\/)/, './') : header.linkTarget;
    const xattrs = header.xattrs.map((one) => `${one.name}=${one.value.toString('hex')}`).toSorted();
    lines.push(JSON.stringify({ ...header, name, linkTarget, xattrs, content: content?.toString('latin1') }));
  }
  return lines.toSorted();
}

test('what is exported is what was imported: owners, modes, times, links, devices, attributes, odd names', async () => {
  const first = await exported(await makeImage('first', ORIGINAL));
  const withoutLinks = (lines: string[]) => lines.filter((line) => !line.includes('"type":"1"'));
  assert.deepEqual(withoutLinks(await listed(first)), withoutLinks(await listed(ORIGINAL)));
  const second = await exported(await makeImage('second', first));
  assert.ok(first.equals(second), 'the export of what is imported again is the same, byte by byte');
});

test('a link is exported as one', async () => {
  const lines = await listed(await exported(await makeImage('links', ORIGINAL)));
  const links = lines
    .map((line) => JSON.parse(line) as Record<string, string>)
    .filter(({ type }) => type === '1');
  assert.deepEqual(
    links.map(({ name, linkTarget }) => [name, linkTarget]),
    [['./bin/ping6', './bin/ping']],
  );
});

test('more than could be imported again is refused', async () => {
  const path = await makeImage('many', ORIGINAL);
  for (const limits of [
    { maxEntries: 10, maxBytes: 64 * MiB },
    { maxEntries: 1000, maxBytes: 2 * MiB },
  ]) {
    await assert.rejects(exported(path, limits), (error) => isUserError(error, 'IMAGE_TOO_LARGE'));
  }
});
