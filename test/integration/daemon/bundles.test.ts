import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { copyFile, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { MiB } from '#base/sizes.ts';
import type { BangerClient, Image, ImageBundle } from '#sdk/index.ts';
import { FakeDaemonHome } from '../../support/fake-daemon.ts';
import { file as member, tarOf } from '../../support/layer-tar.ts';
import { run } from '../image/ext4-entry.ts';
import { BundleServer } from './bundle-server.ts';

const SIZE = 64 * MiB;
const architecture = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

describe('bundles and catalogs', () => {
  let home: FakeDaemonHome;
  let client: BangerClient;
  let server: BundleServer;
  let bundle: ImageBundle;
  let original: Image;

  const file = (name: string) => join(home.root, name);
  const diskOf = ({ id }: Image) => join(home.layout.imagesDir, id, 'rootfs.ext4');
  const makeBundle = async (name: string): Promise<ImageBundle> =>
    (await client.images.makeBundle('original', { path: file(name) })).result();
  const pull = async (name: string) => (await client.images.pull({ reference: name })).result();
  /** Into the catalog that is a file, which is read at each question. */
  const offer = (...images: object[]) =>
    writeFile(file('catalog.json'), JSON.stringify({ version: 1, images }));
  const kernelNamed = (name: string) => ({
    name,
    kind: 'recipe',
    description: 'a kernel',
    architectures: [architecture],
    approximateBytes: 1,
    distribution: 'debian',
    suite: 'bookworm',
    keyring: '/usr/share/keyrings/debian-archive-keyring.gpg',
  });
  const entryOf = (name: string, bytes: Buffer) => {
    server.files.set(`${name}.tar.zst`, bytes);
    const url = server.urlOf(`${name}.tar.zst`);
    return { ...bundle.entry, name, url, sha256: sha256(bytes), bytes: bytes.length };
  };

  before(async () => {
    home = await FakeDaemonHome.create();
    server = await BundleServer.start();
    client = await home.start();
    // What does not pack well, so that a download takes more than one packet.
    const make =
      'cd "$1"; mkdir -p root/etc; head -c 3000000 /dev/urandom > root/etc/noise; tar -cf r.tar -C root .';
    await run('sh', ['-c', make, 'sh', home.root]);
    original = await (
      await client.images.import({ path: file('r.tar'), name: 'original', sizeBytes: SIZE })
    ).result();
    bundle = await makeBundle('first.tar.zst');
    server.files.set('first.tar.zst', await readFile(file('first.tar.zst')));
    const remote = { version: 1, images: [{ ...bundle.entry, name: 'remote-tool' }] };
    server.files.set('catalog.json', Buffer.from(JSON.stringify(remote)));
    await client.stopDaemon();
    client.close();
    await home.daemonGone();
    await offer();
    await home.configure(`catalogs = ["${file('catalog.json')}", "${server.urlOf('catalog.json')}"]\n`);
    client = await home.start();
  });
  afterEach(() => {
    server.script = () => false;
    server.ranges.length = 0;
  });
  after(async () => {
    client?.close();
    await server[Symbol.asyncDispose]();
    await home[Symbol.asyncDispose]();
  });

  const refuse = async (entry: { name: string; [key: string]: unknown }, code: string) => {
    await offer(entry);
    const folders = await readdir(home.layout.imagesDir);
    await assert.rejects(pull(entry.name), { code });
    assert.deepEqual(await readdir(home.layout.imagesDir), folders);
    await assert.rejects(client.images.get(entry.name), { code: 'IMAGE_NOT_FOUND' });
  };

  it('one image always becomes the same bytes, and nothing is written over', async () => {
    const again = await makeBundle('second.tar.zst');
    assert.equal(again.entry.sha256, bundle.entry.sha256);
    assert.equal(sha256(await readFile(file('second.tar.zst'))), again.entry.sha256);
    assert.equal((await stat(file('second.tar.zst'))).size, again.entry.bytes);
    await assert.rejects(makeBundle('second.tar.zst'), { code: 'EXPORT_TARGET_TAKEN' });
    const names = await readdir(home.root);
    assert.deepEqual(
      names.filter((name) => name.endsWith('.partial')),
      [],
    );
  });

  it('from an image through a bundle and a catalog on a server to the same image', async () => {
    const image = await pull('remote-tool');
    assert.deepEqual([image.kind, image.source], ['bundle', `bundle:${server.urlOf('first.tar.zst')}`]);
    assert.equal(image.digest, `sha256:${bundle.entry.sha256}`);
    assert.ok((await readFile(diskOf(image))).equals(await readFile(diskOf(original))));
    assert.ok(image.allocatedBytes < SIZE / 4, 'holes stay holes');
    assert.equal((await stat(diskOf(image))).mode & 0o777, 0o444);
    assert.deepEqual(await readdir(join(home.layout.imagesDir, image.id)), ['rootfs.ext4']);
    const { available } = await client.images.list();
    const entry = available.find(({ name }) => name === 'remote-tool');
    assert.deepEqual(
      [entry?.kind, entry?.pulled, entry?.downloadBytes],
      ['bundle', true, bundle.entry.bytes],
    );
  });

  it('a VM is made of an entry that was never pulled', async () => {
    await offer(entryOf('for-vm', await readFile(file('first.tar.zst'))));
    await client.images.list();
    const vm = await (await client.vms.create({ image: 'for-vm', name: 'bundled', start: false })).result();
    assert.equal((await client.images.get('for-vm')).id, vm.imageId);
    await (await client.vms.delete('bundled')).result();
  });

  it("a pull takes a newer bundle, and leaves one that is today's", async () => {
    await offer({ ...bundle.entry, name: 'updated' });
    const first = await pull('updated');
    assert.equal((await pull('updated')).id, first.id);
    const target = { path: file('newer.tar.zst'), description: 'newer' };
    await (await client.images.import({ path: file('r.tar'), name: 'newer', sizeBytes: 2 * SIZE })).result();
    const { entry } = await (await client.images.makeBundle('newer', target)).result();
    await offer({ ...entry, name: 'updated' });
    const second = await pull('updated');
    assert.notEqual(second.id, first.id);
    assert.equal(second.virtualBytes, 2 * SIZE);
    assert.equal((await client.images.get('updated')).id, second.id);
  });

  it('a bundle beside a catalog that is a file needs no server', async () => {
    await offer({ ...bundle.entry, name: 'beside' });
    const image = await pull('beside');
    assert.ok((await readFile(diskOf(image))).equals(await readFile(diskOf(original))));
    await copyFile(file('first.tar.zst'), file('changed.tar.zst'));
    await writeFile(file('changed.tar.zst'), 'x', { flag: 'r+' });
    await refuse({ ...bundle.entry, name: 'changed', url: 'changed.tar.zst' }, 'DOWNLOAD_CORRUPT');
    await refuse({ ...bundle.entry, name: 'gone', url: 'gone.tar.zst' }, 'DOWNLOAD_FAILED');
  });

  it('a bundle is imported from a file, under the name it brings or another', async () => {
    const path = file('first.tar.zst');
    const digest = bundle.entry.sha256;
    await assert.rejects(client.images.import({ path }), { code: 'IMAGE_NAME_TAKEN' });
    await assert.rejects(client.images.import({ path: file('r.tar') }), { code: 'INVALID_ARGUMENT' });
    const wrong = await client.images.import({ path, name: 'wrong', sha256: 'f'.repeat(64) });
    await assert.rejects(wrong.result(), { code: 'DOWNLOAD_CORRUPT' });
    const sized = await client.images.import({ path, name: 'sized', sizeBytes: 2 * SIZE });
    await assert.rejects(sized.result(), { code: 'INVALID_ARGUMENT' });
    const image = await (await client.images.import({ path, name: 'imported', sha256: digest })).result();
    assert.deepEqual(
      [image.kind, image.source, image.digest],
      ['bundle', `bundle:${path}`, `sha256:${digest}`],
    );
    await truncate(file('second.tar.zst'), bundle.entry.bytes - 100_000);
    const cut = await client.images.import({ path: file('second.tar.zst'), name: 'cut' });
    await assert.rejects(cut.result(), { code: 'BUNDLE_INVALID' });
  });

  it('a download that breaks off is gone on with', async () => {
    const bytes = Buffer.concat([await readFile(file('first.tar.zst'))]);
    await offer(entryOf('resumed', bytes));
    await client.images.pruneCache();
    server.script = (request, response) => {
      if (!request.url?.endsWith('.zst') || server.ranges.length > 1) return false;
      response.writeHead(200, { 'content-length': bytes.length });
      response.write(bytes.subarray(0, 1_000_000), () => setTimeout(() => response.destroy(), 200));
      return true;
    };
    await pull('resumed');
    assert.equal(server.ranges.length, 2);
    assert.match(server.ranges[1] ?? '', /^bytes=[1-9]\d*-$/);
  });

  it('a download that is cancelled leaves no image', async () => {
    await client.images.pruneCache();
    await offer(entryOf('cancelled', await readFile(file('first.tar.zst'))));
    const asked = Promise.withResolvers<void>();
    server.script = (request) => {
      if (!request.url?.endsWith('.zst')) return false;
      asked.resolve();
      return true;
    };
    const folders = await readdir(home.layout.imagesDir);
    const pulling = await client.images.pull({ reference: 'cancelled' });
    await asked.promise;
    await pulling.cancel();
    await assert.rejects(pulling.result(), { code: 'OPERATION_CANCELLED' });
    assert.deepEqual(await readdir(home.layout.imagesDir), folders);
  });

  it('kernels that are offered since the daemon runs are known', async () => {
    const known = async () => (await client.kernels.listAvailable()).map(({ name }) => name);
    const offerKernel = (name: string) =>
      writeFile(file('catalog.json'), JSON.stringify({ version: 1, kernels: [kernelNamed(name)] }));
    const before = await known();
    await offerKernel('first');
    await assert.rejects(client.kernels.pull('misspelt'), (error: { details: { known: string[] } }) => {
      assert.deepEqual(error.details.known, [...before, 'first']);
      return true;
    });
    await offerKernel('second');
    assert.deepEqual(await known(), [...before, 'second']);
    await offer();
  });

  it('what is not what the catalog promised is thrown away', async () => {
    const bytes = await readFile(file('first.tar.zst'));
    await client.images.pruneCache();
    await refuse({ ...entryOf('other-sha', bytes), sha256: 'e'.repeat(64) }, 'DOWNLOAD_CORRUPT');
    await refuse({ ...entryOf('shorter', bytes), sha256: 'd'.repeat(64), bytes: 1000 }, 'DOWNLOAD_CORRUPT');
    await refuse(
      { ...entryOf('missing', bytes), sha256: 'c'.repeat(64), url: server.urlOf('no.zst') },
      'DOWNLOAD_FAILED',
    );
    assert.deepEqual(await readdir(join(home.layout.cacheDir, 'bundles/blobs/sha256')), []);
  });

  it('an entry that cannot be used is told, and nothing is fetched in its stead', async () => {
    await offer(
      { ...bundle.entry, name: 'misspelt', sha: 'x' },
      { ...bundle.entry, name: 'debian-bookworm' },
    );
    await assert.rejects(client.images.pull({ reference: 'misspelt' }), { code: 'CATALOG_INVALID' });
    await assert.rejects(client.vms.create({ image: 'misspelt' }), { code: 'CATALOG_INVALID' });
    const { available, catalogProblems } = await client.images.list();
    assert.deepEqual(
      catalogProblems.map(({ entry }) => entry),
      ['misspelt', 'debian-bookworm'],
    );
    assert.equal(available.find(({ name }) => name === 'debian-bookworm')?.catalog, 'built-in');
    const { rows } = await client.doctor();
    assert.equal(rows.find(({ check }) => check === 'catalogs')?.status, 'fail');
  });

  describe('a bundle whose content cannot be trusted is refused', () => {
    let disk: Buffer;
    const manifestOf = (content: Buffer, changes: object = {}) => ({
      version: 1,
      name: 'tool',
      architecture,
      createdAt: new Date(0).toISOString(),
      rootfs: { sha256: sha256(content), bytes: content.length },
      ...changes,
    });
    const pack = (content: Buffer, manifest: object = manifestOf(content)) =>
      zstdCompressSync(
        tarOf(member('manifest.json', JSON.stringify(manifest)), member('rootfs.ext4', content)),
      );
    const changed = (offset: number, value: number) => {
      const copy = Buffer.from(disk);
      copy.writeUInt32LE(value, 1024 + offset);
      return copy;
    };

    before(async () => {
      disk = await readFile(diskOf(original));
    });

    it('first: the same disk is fine', async () => {
      await offer(entryOf('fine', pack(disk)));
      assert.equal((await pull('fine')).virtualBytes, SIZE);
    });

    const cases: Record<string, () => [Buffer, string]> = {
      'no file system': () => [pack(Buffer.alloc(MiB)), 'BUNDLE_INVALID'],
      'a tiny disk': () => [pack(Buffer.from('x')), 'BUNDLE_INVALID'],
      'a disk with another sha256': () => [pack(disk, manifestOf(Buffer.from('x'))), 'BUNDLE_INVALID'],
      'a disk that is shorter than its file system': () => [
        pack(disk.subarray(0, SIZE / 2)),
        'BUNDLE_INVALID',
      ],
      'a file system that was not closed': () => [
        pack(changed(0x60, disk.readUInt32LE(1024 + 0x60) | 4)),
        'BUNDLE_INVALID',
      ],
      'blocks of a gigabyte': () => [pack(changed(0x18, 20)), 'BUNDLE_INVALID'],
      'a damaged file system': () => [pack(Buffer.from(disk).fill(0xff, 4096, 3 * 4096)), 'BUNDLE_INVALID'],
      'another architecture': () => [
        pack(disk, manifestOf(disk, { architecture: architecture === 'x86_64' ? 'aarch64' : 'x86_64' })),
        'IMAGE_PLATFORM_MISSING',
      ],
      'a version of later': () => [pack(disk, manifestOf(disk, { version: 2 })), 'BUNDLE_INVALID'],
      'a third member': () => [
        zstdCompressSync(tarOf(member('manifest.json', '{}'), member('x'), member('rootfs.ext4', disk))),
        'BUNDLE_INVALID',
      ],
    };
    for (const [what, build] of Object.entries(cases)) {
      it(`with ${what}`, async () => {
        const [bytes, code] = build();
        const name = `bad-${what.replaceAll(/[^a-z0-9]+/g, '-')}`;
        await refuse(entryOf(name, bytes), code);
      });
    }
  });
});
