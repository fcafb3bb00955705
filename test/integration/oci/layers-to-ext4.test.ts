import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { after, before, describe, test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { makeRootDisk } from '#daemon/image/root-disk.ts';
import { allocatedBytes } from '#ext4/sparse-file.ts';
import { makeFilesystem } from '#ext4/make-filesystem.ts';
import { choosePopulateMethod, probeAbilities, type PopulateMethod } from '#ext4/populate-method.ts';
import { sizeForContent } from '#ext4/size-for-content.ts';
import type { LayerFile } from '#oci/descriptor.ts';
import { keepHeaders } from '#oci/layers/layer-headers.ts';
import { LAYER_LIMITS } from '#oci/layers/layer-limits.ts';
import { mergeLayers } from '#oci/layers/merge-layers.ts';
import { file, folder, hardLink, member, symlink, tarOf, writeLayer } from '../../support/layer-tar.ts';
import { isRoot, NEEDS_ROOT } from '../../support/small-file-system.ts';
import { TarReadingMke2fs } from '../../support/tar-reading-mke2fs.ts';
import { bootstrapMinbase, fetchPackages } from './debian-layers.ts';
import { listMounted, listTar, listTree } from './tree-listing.ts';
import { unpackWithUmoci } from './umoci-oracle.ts';

const PACKAGES = [
  ...['base-files', 'bash', 'busybox-static', 'coreutils', 'dpkg', 'gzip', 'iputils-ping', 'libc6', 'login'],
  ...['mount', 'passwd', 'perl-base', 'tar', 'tzdata', 'util-linux'],
];
/** From the tree itself, from an image that has the same layers, or from its tar by one of the ways that other sources take. */
type Method = PopulateMethod | 'tree' | 'shared';

/** Nobody waits for the smallest. */
const compress = (tar: Buffer) => gzipSync(tar, { level: 1 });

const journalMiB = 4;
const CAP_NET_RAW = Buffer.from('0100000200200000000000000000000000000000', 'hex');

describe(
  'ext4 from the layers of an image equals what umoci unpacks',
  { skip: isRoot() ? false : NEEDS_ROOT },
  () => {
    let place: string;
    let packages: Map<string, Buffer>;
    const methods: readonly Method[] = ['tree', 'shared', 'tar', 'fakeroot'];
    let tarReading: TarReadingMke2fs;

    before(async () => {
      place = await mkdtemp(`${tmpdir()}/banger-oci-`);
      packages = await fetchPackages(`${place}/downloads`, PACKAGES);
      tarReading = await TarReadingMke2fs.fetch(place);
    });
    after(() => rm(place, { recursive: true, force: true }));

    const debian = (name: string) => packages.get(name)!;

    async function layersOf(name: string, tars: readonly Buffer[]): Promise<LayerFile[]> {
      await mkdir(`${place}/${name}`);
      return Promise.all(
        tars.map((tar, index) => writeLayer(`${place}/${name}/${index}.tar.gz`, tar, { compress })),
      );
    }

    async function compare(name: string, tars: readonly Buffer[], ways = methods): Promise<void> {
      const here = `${place}/${name}`;
      const layers = await layersOf(name, tars);
      const oracle = await unpackWithUmoci(layers, here);
      const expected = await listTree(oracle, `${here}/oracle.tar`);
      for (const method of ways) {
        using _ = method === 'tar' ? tarReading.use() : undefined;
        const path = await makeExt4(layers, `${here}/${method}`, method);
        assert.deepEqual(await listMounted(path, here), expected);
      }
      await rm(here, { recursive: true });
    }

    test('where mke2fs reads tars it is left to do so', async () => {
      using _ = tarReading.use();
      const abilities = await probeAbilities(place);
      assert.match(abilities.mke2fsVersion, /^1\.47\.[2-9]/);
      assert.equal(choosePopulateMethod(abilities), 'tar');
    });

    test('busybox alone, without /etc', async () => {
      const root = folder('./', { mode: 0o755 });
      const only = tarOf(root, folder('bin'), symlink('bin/sh', 'busybox'));
      await compare('busybox', [debian('busybox-static'), only]);
    });

    test('many packages, a layer each, with setuid programs and hard links', async () => {
      await compare('packages', [...packages.values()]);
    });

    test('file capabilities and other attributes, on odd names too', async () => {
      const xattrs = [{ name: 'security.capability', value: CAP_NET_RAW }];
      const user = [...xattrs, { name: 'user.note', value: Buffer.from([0, 1, 255, 10]) }];
      const upper = tarOf(
        file('bin/ping', 'capable', { mode: 0o755, xattrs }),
        file('odd "name\\ \xff\xe9', 'odd', { xattrs: user }),
        folder('deep'),
        folder(`deep/${'é'.repeat(120)}`),
        folder('folder "of\ttabs', { xattrs: [user[1]!] }),
        file(`deep/${'é'.repeat(120)}/${'\xfe'.repeat(250)}`, 'long', { xattrs }),
        symlink('long-link', 'x/'.repeat(400)),
      );
      await compare('capabilities', [debian('base-files'), debian('iputils-ping'), upper]);
    });

    test('whiteouts and opaque folders over many layers', async () => {
      const upper = [
        tarOf(file('usr/share/doc/.wh..wh..opq', ''), folder('usr/share/doc'), file('usr/share/doc/only')),
        tarOf(
          file('usr/bin/.wh.bash', ''),
          file('usr/share/.wh.zoneinfo', ''),
          folder('usr/share'),
          folder('usr/bin'),
        ),
        tarOf(
          folder('usr/share/zoneinfo'),
          file('usr/share/zoneinfo/UTC', 'again'),
          file('etc/.wh.none', ''),
        ),
        tarOf(file('usr/share/doc/.wh.only', ''), file('usr/share/doc', 'no folder any more')),
        ...Array.from({ length: 20 }, (_, index) =>
          tarOf(folder('var'), file(`var/${index % 7}`, `${index}`)),
        ),
      ];
      await compare('whiteouts', [debian('base-files'), debian('bash'), debian('tzdata'), ...upper]);
    });

    test('hard links across layers, devices, pipes, old and new times', async () => {
      const lower = tarOf(
        file('a', 'shared', { uid: 70_000, gid: 4_000_000_000, mode: 0o4750 }),
        folder('d', { mtime: 5 }),
      );
      const middle = tarOf(
        folder('d', { mtime: 7, mode: 0o2500 }),
        hardLink('d/b', 'a'),
        hardLink('c', 'd/b'),
      );
      const upper = tarOf(
        file('.wh.a', ''),
        folder('./', { mode: 0o751, uid: 5, mtime: 900_000_000 }),
        folder('dev'),
        member({ name: 'dev/null', type: '3', mode: 0o666, major: 1, minor: 3 }),
        member({ name: 'dev/loop', type: '4', mode: 0o660, gid: 6, major: 7, minor: 300 }),
        member({ name: 'pipe', type: '6', mode: 0o600 }),
        file('new', 'x', { mtime: 2_000_000_000 }),
        file('closed', 'x', { mode: 0 }),
      );
      await compare('links', [debian('perl-base'), lower, middle, upper]);
    });

    test('a whole Debian (minbase), without its documentation', { timeout: 180_000 }, async () => {
      const upper = tarOf(
        folder('usr/share/doc'),
        file('usr/share/doc/.wh..wh..opq', ''),
        file('var/cache/.wh.apt', ''),
      );
      const tars = [await bootstrapMinbase(`${place}/minbase.tar`), upper];
      await compare('minbase', tars, ['tree', 'shared']);
    });

    test('100,000 small files, as the tar has them', { timeout: 480_000 }, async () => {
      const name = 'many';
      const folders = Array.from({ length: 100 }, (_, index) => `./folder-${index}/`);
      const files = folders.flatMap((parent) =>
        Array.from({ length: 1000 }, (_, index) =>
          file(`${parent}file-${index}`, `${parent}${index}\n`, { uid: index % 7 }),
        ),
      );
      const [layer] = await layersOf(name, [
        tarOf(folder('./'), ...folders.map((parent) => folder(parent)), ...files),
      ]);
      const expected = await listTar(await gunzipped(layer!));
      for (const method of ['tree', 'tar'] as const) {
        using _ = method === 'tar' ? tarReading.use() : undefined;
        const path = await makeExt4([layer!], `${place}/${name}/${method}`, method);
        const actual = new Set(await listMounted(path, `${place}/${name}`));
        assert.equal(actual.size, expected.length);
        // Only the first ones: a comparison of all would take longer than the test.
        assert.deepEqual(expected.filter((line) => !actual.has(line)).slice(0, 5), []);
      }
    });
  },
);

async function gunzipped({ path }: LayerFile): Promise<string> {
  const tar = `${path}.tar`;
  await writeFile(tar, gunzipSync(await readFile(path)));
  return tar;
}

async function makeExt4(layers: readonly LayerFile[], at: string, method: Method): Promise<string> {
  const merged = await mergeLayers(layers);
  const sizeBytes = sizeForContent({ ...merged, journalMiB });
  if (method === 'shared') return makeFromShared(layers, at, sizeBytes);
  const path = `${at}.ext4`;
  await mkdir(`${at}.work`);
  const shape = { path, label: 'test', journalMiB, sizeBytes, workFolder: `${at}.work` };
  if (method === 'tree') await makeFilesystem({ ...shape, source: { tree: merged.tree } });
  else await makeFilesystem({ ...shape, source: { tarStream: merged } }, { method });
  execFileSync('e2fsck', ['-fn', path], { stdio: 'pipe' });
  assert.ok((await allocatedBytes(path)) < merged.contentBytes + merged.entries * 8192 + 64 * 2 ** 20);
  return path;
}

/** The second of two images of the same layers, which are emptied before it is made. */
async function makeFromShared(layers: readonly LayerFile[], at: string, sizeBytes: number): Promise<string> {
  const known = layers.map((layer) => ({ ...layer, headersPath: `${layer.path}.headers` }));
  for (const layer of known) await keepHeaders(layer, { limits: LAYER_LIMITS, spent: { bytes: 0 } });
  const [first, second] = [`${at}/${'a'.repeat(12)}`, `${at}/${'b'.repeat(12)}`];
  await mkdir(first, { recursive: true });
  await mkdir(second);
  await makeRootDisk({ root: { layers: known }, folder: first, sizeBytes }, {});
  const packed = await Promise.all(layers.map(({ path }) => readFile(path)));
  for (const { path } of layers) await truncate(path);
  await makeRootDisk({ root: { layers: known }, folder: second, sizeBytes }, {});
  for (const [index, { path }] of layers.entries()) await writeFile(path, packed[index]!);
  execFileSync('e2fsck', ['-fn', `${second}/rootfs.ext4`], { stdio: 'pipe' });
  return `${second}/rootfs.ext4`;
}
