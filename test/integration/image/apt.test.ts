import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Apt } from '#daemon/image/debian/apt.ts';
import { run } from './ext4-entry.ts';

const { signal } = new AbortController();
const CONTROL = [
  'Package: tiny',
  'Version: 1:2.0',
  'Architecture: all',
  'Maintainer: nobody <nobody@example.org>',
  'Description: nothing',
];

/** An archive with one package, whose sources are in a file. */
async function makeArchive(folder: string): Promise<{ sources: string; deb: string; bytes: Buffer }> {
  const archive = join(folder, 'archive');
  await mkdir(join(folder, 'tree/DEBIAN'), { recursive: true });
  await mkdir(archive);
  await writeFile(join(folder, 'tree/DEBIAN/control'), [...CONTROL, ''].join('\n'));
  const deb = join(archive, 'tiny_2.0_all.deb');
  await run('dpkg-deb', ['--root-owner-group', '--build', join(folder, 'tree'), deb]);
  const bytes = await readFile(deb);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const stanza = [
    ...CONTROL,
    `Filename: ./tiny_2.0_all.deb`,
    `Size: ${bytes.length}`,
    `SHA256: ${sha256}`,
    '',
  ];
  await writeFile(join(archive, 'Packages'), stanza.join('\n'));
  const sources = join(folder, 'tiny.sources');
  await writeFile(sources, `Types: deb\nURIs: file:${archive}\nSuites: ./\nTrusted: yes\n`);
  return { sources, deb, bytes };
}

test('a package is found, also where the working folder has its file', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'apt-test-'));
  t.after(() => rm(folder, { recursive: true }));
  const { sources, deb, bytes } = await makeArchive(folder);
  const apt = await Apt.withListsIn(join(folder, 'lists'), sources);
  await apt.update(signal);
  assert.equal(await apt.findField('tiny', 'Version', signal), '1:2.0');
  const found = await apt.findFile('tiny', signal);
  assert.deepEqual([found?.fileName, found?.bytes], ['tiny_1%3a2.0_all.deb', bytes.length]);
  const before = process.cwd();
  t.after(() => process.chdir(before));
  process.chdir(folder);
  await copyFile(deb, found?.fileName ?? '');
  assert.deepEqual(await apt.findFile('tiny', signal), found);
  await mkdir('download');
  await apt.download('tiny', 'download', { signal, onPercent: () => {} });
  assert.deepEqual(await readFile(join('download', found?.fileName ?? '')), bytes);
});
