import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { after, before, beforeEach, describe, test } from 'node:test';
import { MiB } from '#base/sizes.ts';
import { makeSeed } from '#daemon/image/work-seed/make-seed.ts';
import { BUILD_ENVIRONMENT } from '#ext4/build-tools.ts';
import { makeFilesystem, type FilesystemSpec } from '#ext4/make-filesystem.ts';
import { choosePopulateMethod, probeAbilities } from '#ext4/populate-method.ts';
import { CommandError, runCommand } from '#host/run-command.ts';
import { file, folder, member, symlink, tarOf } from '../../support/layer-tar.ts';
import { recipeCatalogs } from '../../support/recipe-catalog.ts';
import { isRoot, NEEDS_ROOT } from '../../support/small-file-system.ts';
import { TarReadingMke2fs } from '../../support/tar-reading-mke2fs.ts';
import { listMounted, listTar } from '../oci/tree-listing.ts';
import { readExt4Entry, run } from './ext4-entry.ts';
import { openService } from './open-service.ts';
import { tinyRecipe } from './tiny-recipe.ts';

const CAPABILITY = {
  name: 'security.capability',
  value: Buffer.from('0100000200200000000000000000000000000000', 'hex'),
};
const NOTE = { name: 'user.note', value: Buffer.from([0, 1, 255, 10]) };
const TRUSTED = { name: 'trusted.note', value: Buffer.alloc(2000, 'x') };

const TREE = [
  folder('./'),
  folder('./root/', { mode: 0o2751, uid: 70_000, gid: 4_000_000_000, mtime: 1_333_333_333, xattrs: [NOTE] }),
  file('./root/capable', 'x', { mode: 0o755, xattrs: [CAPABILITY] }),
  file('./root/line\nbreak "quote" \\ back', 'odd', { mode: 0 }),
  file('./root/noted', 'x', { mode: 0o4755, xattrs: [CAPABILITY, NOTE, TRUSTED] }),
  member({ name: './root/noted again', type: '1', linkTarget: './root/noted', mode: 0o4755 }),
  member({ name: './root/null', type: '3', mode: 0o666, major: 1, minor: 3 }),
  symlink('./root/out', '../../../etc/shadow'),
  member({ name: './root/pipe', type: '6', mode: 0o600 }),
  file(`./root/${'n'.repeat(200)}`, Buffer.alloc(300_000, 'large ')),
];

describe('a host whose mke2fs reads tars', { skip: isRoot() ? false : NEEDS_ROOT }, () => {
  let place: string;
  let here: string;
  let tarReading: TarReadingMke2fs;

  before(async () => {
    place = await mkdtemp(`${tmpdir()}/banger-tar-reading-`);
    tarReading = await TarReadingMke2fs.fetch(place);
  });
  after(() => rm(place, { recursive: true, force: true }));
  beforeEach(async () => {
    here = await mkdtemp(`${place}/here-`);
  });

  /** In the way that the host chooses. */
  async function make(source: FilesystemSpec['source'], sizeBytes = 64 * MiB): Promise<string> {
    const workFolder = await mkdtemp(`${here}/work-`);
    const path = `${workFolder}/x.ext4`;
    try {
      await makeFilesystem({ path, label: 'test', journalMiB: 4, sizeBytes, source, workFolder });
    } catch (error) {
      assert.deepEqual(await readdir(workFolder), [], 'nothing is left behind');
      throw error;
    }
    assert.deepEqual(await readdir(workFolder), ['x.ext4']);
    await run('e2fsck', ['-fn', path]);
    return path;
  }

  async function writeTar(...members: Buffer[]): Promise<string> {
    await writeFile(`${here}/x.tar`, tarOf(...members));
    return `${here}/x.tar`;
  }

  test('is left to do so, and no other is', async () => {
    const tar = await writeTar(folder('./'));
    const isNew = await readsTar(tar, here); // this host's own
    assert.equal((await choose(here)) === 'tar', isNew);
    using _ = tarReading.use();
    assert.deepEqual([await readsTar(tar, here), await choose(here)], [true, 'tar']);
  });

  test('has all of a tar in the file system, attributes of whatever kind included', async () => {
    using noted = await noteCalls(here, tarReading);
    const tar = await writeTar(...TREE);
    const isTop = (line: string) => line.startsWith('"./" ') || line.startsWith('"." ');
    const expected = (await listTar(tar)).filter((line) => !isTop(line));
    const actual = await listMounted(await make({ tar }), here);
    assert.deepEqual(actual.filter((line) => !isTop(line)).toSorted(), expected.toSorted());
    assert.deepEqual(await noted.populatedFrom(), [tar]);
  });

  test('makes a work seed that equals what another host makes', async () => {
    const rootDiskPath = await make({ tar: await writeTar(...TREE) });
    const expected = await listMounted(await seedOf(rootDiskPath), here);
    using noted = await noteCalls(here, tarReading);
    const seed = await seedOf(rootDiskPath);
    assert.deepEqual(await noted.populatedFrom(), ['-']);
    assert.deepEqual(await listMounted(seed, here), expected);
    assert.equal(expected.length, TREE.length - 1);
  });

  test('builds a Debian image without unpacking it', { timeout: 60_000 }, async () => {
    using noted = await noteCalls(here, tarReading);
    using opened = await openService(here, { catalogs: recipeCatalogs(tinyRecipe) });
    const { rootDiskPath, record } = await opened.service.ensureImage('tiny');
    const [source, ...others] = await noted.populatedFrom();
    assert.match(source ?? '', /\/rootfs\.tar$/);
    assert.deepEqual(others, []);
    await run('e2fsck', ['-fn', rootDiskPath]);
    const sudo = await readExt4Entry(rootDiskPath, '/usr/bin/sudo');
    assert.deepEqual([sudo.mode, sudo.owner], [0o4755, '0:0']);
    assert.deepEqual(await readdir(`${opened.layout.imagesDir}/${record.id}`), ['rootfs.ext4']);
  });

  test('says so when the tar is damaged or too large, and leaves nothing behind', async () => {
    using noted = await noteCalls(here, tarReading);
    const tar = await writeTar(folder('./'), file('./large', Buffer.alloc(20 * MiB, 'large')));
    await assert.rejects(make({ tar }, 16 * MiB), { code: 'DISK_TOO_SMALL' });
    await truncate(tar, 5 * MiB);
    const damaged = { code: 'IMAGE_BUILD_FAILED', message: /cannot read archive header.*Truncated/ };
    await assert.rejects(make({ tar }), damaged);
    assert.deepEqual(await noted.populatedFrom(), [tar, tar]);
  });

  async function seedOf(rootDiskPath: string): Promise<string> {
    const work = await mkdtemp(`${here}/seed-`);
    const path = `${work}/home.ext4`;
    const report = { stage: () => {}, detail: () => {}, progress: () => {} };
    const { signal } = new AbortController();
    await makeSeed({ rootDiskPath, key: undefined, path, folder: work }, { signal, report });
    return path;
  }
});

const choose = async (folder: string) => choosePopulateMethod(await probeAbilities(folder));

/** Whether mke2fs, as builds find it, does read a tar, whatever its version. */
async function readsTar(tar: string, folder: string): Promise<boolean> {
  const args = ['-q', '-F', '-t', 'ext4', '-d', tar, `${folder}/tried.ext4`, '16M'];
  try {
    await runCommand('mke2fs', args, { env: BUILD_ENVIRONMENT });
    return true;
  } catch (error) {
    if (error instanceof CommandError) return false;
    throw error;
  }
}

/** What mke2fs is asked to fill file systems with, until it is disposed. */
async function noteCalls(
  here: string,
  tarReading: TarReadingMke2fs,
): Promise<Disposable & { populatedFrom(): Promise<string[]> }> {
  const folder = `${here}/noting`;
  await mkdir(folder);
  const script = `#!/bin/sh\nprintf '%s\\n' "$*" >> ${here}/calls\nPATH=\${PATH#*:} exec mke2fs "$@"\n`;
  await writeFile(`${folder}/mke2fs`, script, { mode: 0o755 });
  const used = tarReading.use();
  const path = BUILD_ENVIRONMENT.PATH;
  BUILD_ENVIRONMENT.PATH = `${folder}:${path}`;
  return {
    populatedFrom: async () =>
      [...(await readFile(`${here}/calls`, 'utf8')).matchAll(/ -d (\S+) /g)].map(([, source]) => source!),
    [Symbol.dispose]: () => {
      BUILD_ENVIRONMENT.PATH = path;
      used[Symbol.dispose]();
    },
  };
}
