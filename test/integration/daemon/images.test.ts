import assert from 'node:assert/strict';
import { chmod, copyFile, mkdir, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathExists } from '#host/files.ts';
import type { BangerClient, Image } from '#sdk/index.ts';
import { FakeDaemonHome } from '../../support/fake-daemon.ts';
import { readExt4Entry, run } from '../image/ext4-entry.ts';

// Made under fakeroot, so that it needs no root itself.
const MAKE_ROOT = `
set -eu
cd "$1"
mkdir -p root/bin root/etc
echo tool > root/bin/tool; chmod 4755 root/bin/tool; chown 5:6 root/bin/tool
ln -s tool root/bin/link
echo here > root/etc/place
tar --create --file rootfs.tar --numeric-owner -C root .
gzip --keep rootfs.tar
`;

const SIZE = 64 * 2 ** 20;

describe('images', () => {
  let home: FakeDaemonHome;
  let client: BangerClient;

  before(async () => {
    home = await FakeDaemonHome.create();
    await run('fakeroot', ['sh', '-c', MAKE_ROOT, 'sh', home.root]);
    client = await home.start();
    await (await client.vms.create({ name: 'starter', start: false })).result(); // makes the default image
  });
  after(async () => {
    client?.close();
    await home[Symbol.asyncDispose]();
  });

  const file = (name: string) => join(home.root, name);
  const diskOf = ({ id }: Image) => join(home.layout.imagesDir, id, 'rootfs.ext4');
  const importAs = async (name: string, source = 'rootfs.tar'): Promise<Image> =>
    (await client.images.import({ path: file(source), name, sizeBytes: SIZE })).result();
  const refuse = async (source: string, code: string) => {
    const folders = await readdir(home.layout.imagesDir);
    await assert.rejects(importAs('refused', source), { code });
    assert.deepEqual(await readdir(home.layout.imagesDir), folders);
    await assert.rejects(client.images.get('refused'), { code: 'IMAGE_NOT_FOUND' });
  };

  for (const source of ['rootfs.tar', 'rootfs.tar.gz']) {
    it(`a ${source} becomes an image with its owners and modes`, async () => {
      const image = await importAs(`from-${source}`, source);
      assert.deepEqual([image.kind, image.source], ['import', `import:${file(source)}`]);
      assert.equal(image.virtualBytes, SIZE);
      const tool = await readExt4Entry(diskOf(image), '/bin/tool');
      assert.deepEqual([tool.mode, tool.owner], [0o4755, '5:6']);
      await run('e2fsck', ['-fn', diskOf(image)]);
      assert.deepEqual(await readdir(join(home.layout.imagesDir, image.id)), ['layers', 'rootfs.ext4']);
    });
  }

  it('a folder becomes an image', async () => {
    const image = await importAs('from-folder', 'root');
    assert.equal((await readExt4Entry(diskOf(image), '/bin/link')).type, 'symlink');
  });

  it('an export is imported again as what it was: an OCI layout, a docker-save archive, a tar', async () => {
    await importAs('original');
    await (await client.images.export('original', { path: file('layout'), format: 'oci' })).result();
    await (await client.images.export('original', { path: file('exported.tar'), format: 'tar' })).result();
    const target = `docker-archive:${file('saved.tar')}:acme/tool:1`;
    await run('skopeo', ['copy', '--quiet', '--insecure-policy', `oci:${file('layout')}`, target]);
    await run('tar', ['--create', '--file', file('layout.tar'), '-C', file('layout'), '.']);
    const names = await readdir(file('layout'));
    await run('tar', ['--create', '--gzip', '--file', file('layout.tgz'), '-C', file('layout'), ...names]);
    for (const source of ['layout', 'layout.tar', 'layout.tgz', 'saved.tar', 'exported.tar']) {
      const image = await importAs(`again-${source}`, source);
      const tool = await readExt4Entry(diskOf(image), '/bin/tool');
      assert.deepEqual([tool.mode, tool.owner], [0o4755, '5:6'], source);
      assert.deepEqual(
        await readdir(join(home.layout.imagesDir, image.id)),
        ['layers', 'rootfs.ext4'],
        source,
      );
    }
    const digests = ['layout', 'layout.tar', 'layout.tgz'].map(
      async (source) => (await client.images.get(`again-${source}`)).digest,
    );
    const [digest, ...same] = await Promise.all(digests);
    assert.match(digest ?? '', /^sha256:[0-9a-f]{64}$/);
    assert.deepEqual(same, [digest, digest]);
    const again = await client.images.export('original', { path: file('layout'), format: 'oci' });
    await assert.rejects(again.result(), { code: 'EXPORT_TARGET_TAKEN' });
    assert.deepEqual(
      (await readdir(home.root)).filter((name) => name.endsWith('.partial')),
      [],
    );
  });

  it('keeps what an OCI image says about how it is run', async () => {
    await importAs('for-config');
    await (await client.images.export('for-config', { path: file('config-layout'), format: 'oci' })).result();
    await run('umoci', [
      'config',
      ...['--image', `${file('config-layout')}:for-config`],
      ...['--config.entrypoint', '/bin/tool', '--config.cmd', '--serve', '--config.env', 'MODE=fast'],
      ...['--config.workingdir', '/etc', '--config.user', '5:6', '--config.label', 'a=b'],
      ...['--config.exposedports', '80/tcp', '--config.stopsignal', 'SIGINT'],
    ]);
    await importAs('configured', 'config-layout');
    assert.deepEqual((await client.images.get('configured')).config, {
      entrypoint: ['/bin/tool'],
      cmd: ['--serve'],
      env: ['MODE=fast'],
      workingDir: '/etc',
      user: '5:6',
      labels: { a: 'b' },
      exposedPorts: ['80/tcp'],
      stopSignal: 'SIGINT',
    });
  });

  it('what is no image is refused and leaves nothing', async () => {
    await writeFile(file('text'), 'no tar at all');
    await copyFile(file('rootfs.tar.gz'), file('cut.tar.gz'));
    await truncate(file('cut.tar.gz'), 100);
    await refuse('text', 'IMAGE_SOURCE_INVALID');
    await refuse('missing', 'IMAGE_SOURCE_INVALID');
    await refuse('cut.tar.gz', 'IMAGE_LAYER_INVALID');
  });

  it('a tar whose members lead outside is refused', async () => {
    await writeFile(file('outside'), 'untouched');
    const make = 'cd "$1/root" && tar -P --transform "s|^|../../../|" -cf ../up.tar etc/place';
    await run('sh', ['-c', make, 'sh', home.root]);
    await refuse('up.tar', 'IMAGE_LAYER_INVALID');
  });

  it('a layout whose blob has another content is refused', async () => {
    await importAs('to-damage');
    await (await client.images.export('to-damage', { path: file('damaged'), format: 'oci' })).result();
    const blobs = join(file('damaged'), 'blobs/sha256');
    const sizes = await Promise.all(
      (await readdir(blobs)).map(async (name) => ({ name, size: (await stat(join(blobs, name))).size })),
    );
    const [layer] = sizes.toSorted((one, other) => other.size - one.size);
    const path = join(blobs, layer!.name);
    const content = await readFile(path);
    content[content.indexOf('here')] = 0x48;
    await writeFile(path, content);
    await refuse('damaged', 'IMAGE_SOURCE_INVALID');
  });

  it('two images never have one name', async () => {
    const outcomes = await Promise.allSettled([importAs('twice'), importAs('twice')]);
    assert.deepEqual(outcomes.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected']);
    const failed = outcomes.find((one) => one.status === 'rejected');
    assert.equal(failed?.reason.code, 'IMAGE_NAME_TAKEN');
    await assert.rejects(importAs('debian-bookworm'), { code: 'IMAGE_NAME_TAKEN' });
    await assert.rejects(importAs('no name'), { code: 'INVALID_NAME' });
    const { images } = await client.images.list();
    const names = (await readdir(home.layout.imagesDir)).toSorted();
    assert.deepEqual(names, images.map(({ id }) => id).toSorted());
  });

  it('an image has several names, and goes with the last one', async () => {
    const image = await importAs('first');
    await client.images.tag('first', 'registry.example/second:1');
    assert.deepEqual((await client.images.get(image.id)).names, ['first', 'registry.example/second:1']);
    await assert.rejects(client.images.tag('from-folder', 'first'), { code: 'IMAGE_NAME_TAKEN' });
    assert.equal((await client.images.delete('first')).outcome, 'untagged');
    assert.equal((await client.images.get(image.id)).name, 'registry.example/second:1');
    assert.equal((await client.images.delete('registry.example/second:1')).outcome, 'deleted');
    assert.equal(await pathExists(diskOf(image)), false);
    await importAs('first'); // the name is free again
  });

  it('two spellings of one name are one name', async () => {
    const image = await importAs('docker.io/library/spelled:latest');
    assert.deepEqual([image.name, image.names], ['spelled', ['spelled']]);
    for (const spelling of ['spelled', 'spelled:latest', 'docker.io/spelled', 'library/spelled:latest']) {
      assert.equal((await client.images.get(spelling)).id, image.id);
      await assert.rejects(importAs(spelling), { code: 'IMAGE_NAME_TAKEN' });
    }
    await assert.rejects(importAs('debian-bookworm:latest'), { code: 'IMAGE_NAME_TAKEN' });
    await assert.rejects(importAs('0123456789ab:latest'), { code: 'INVALID_NAME' }, 'it would be an id');
    await client.images.tag('spelled', 'docker.io/acme/other:latest');
    const vm = await (
      await client.vms.create({ name: 'of-spelled', image: 'acme/other:latest', start: false })
    ).result();
    assert.equal(vm.imageId, image.id);
    await (await client.vms.delete('of-spelled')).result();
    assert.equal((await client.images.delete('index.docker.io/acme/other')).outcome, 'untagged');
    await assert.rejects(client.images.get('spelled:1'), { code: 'IMAGE_NOT_FOUND' });
    assert.equal((await client.images.delete('spelled:latest')).outcome, 'deleted');
    await assert.rejects(client.images.get('spelled'), { code: 'IMAGE_NOT_FOUND' });
  });

  it('an image that VMs use is kept for them', async () => {
    const image = await importAs('used');
    await (await client.vms.create({ name: 'user', image: 'used', vcpus: 1, memoryMiB: 256 })).result();
    assert.deepEqual(
      (await client.images.get('used')).vms.map(({ name }) => name),
      ['user'],
    );
    await assert.rejects(client.images.delete('used'), { code: 'IMAGE_IN_USE' });
    await assert.rejects(client.images.delete('used', { force: true }), { code: 'IMAGE_IN_USE' });
    await (await client.vms.stop('user')).result();
    const { outcome, vms } = await client.images.delete('used', { force: true });
    assert.deepEqual([outcome, vms], ['kept', ['user']]);
    await assert.rejects(client.images.get('used'), { code: 'IMAGE_NOT_FOUND' });
    assert.equal((await (await client.vms.start('user')).result()).state, 'running');
    await (await client.vms.delete('user', { force: true })).result();
    await importAs('used');
    await client.images.delete('used'); // takes along what nobody needs any more
    assert.equal(await pathExists(diskOf(image)), false);
  });

  it('a stopped VM’s disk becomes an image, a running one’s does not', async () => {
    await importAs('to-commit');
    await (await client.vms.create({ name: 'work', image: 'to-commit', vcpus: 1, memoryMiB: 256 })).result();
    const early = await client.images.commit({ vm: 'work', name: 'committed' });
    await assert.rejects(early.result(), { code: 'VM_RUNNING' });
    await (await client.vms.stop('work')).result();
    const image = await (await client.images.commit({ vm: 'work', name: 'committed' })).result();
    assert.deepEqual([image.kind, image.source], ['commit', 'commit:work']);
    assert.equal((await readExt4Entry(diskOf(image), '/bin/tool')).mode, 0o4755);
    await (await client.vms.delete('work')).result();
  });

  it('a raw ext4 file is used in place, and copied when it is promoted', async () => {
    const { id } = await importAs('for-file');
    await copyFile(join(home.layout.imagesDir, id, 'rootfs.ext4'), file('own.ext4'));
    await assert.rejects(client.images.register({ path: file('text'), name: 'own' }), {
      code: 'IMAGE_SOURCE_INVALID',
    });
    const image = await client.images.register({ path: file('own.ext4'), name: 'own' });
    assert.equal(image.path, file('own.ext4'));
    assert.equal(await pathExists(join(home.layout.imagesDir, image.id)), false);
    await (await client.vms.create({ name: 'on-own', image: 'own', start: false })).result();
    await assert.rejects((await client.images.promote('own')).result(), { code: 'IMAGE_IN_USE' });
    await (await client.vms.delete('on-own')).result();
    const promoted = await (await client.images.promote('own')).result();
    assert.deepEqual([promoted.id, promoted.path], [image.id, undefined]);
    assert.equal((await readExt4Entry(diskOf(promoted), '/bin/tool')).mode, 0o4755);
    await client.images.delete('own');
    assert.ok(await pathExists(file('own.ext4')));
  });

  it('a registered image outlives the daemon; without its file it is said so', async () => {
    await mkdir(file('elsewhere'));
    const { id } = await importAs('for-restart');
    await copyFile(join(home.layout.imagesDir, id, 'rootfs.ext4'), file('elsewhere/own.ext4'));
    await chmod(file('elsewhere/own.ext4'), 0o600);
    await client.images.register({ path: file('elsewhere/own.ext4'), name: 'unmanaged' });
    await home.killDaemon();
    client.close();
    client = await home.start();
    assert.equal((await client.images.get('unmanaged')).kind, 'register');
    await run('mv', [file('elsewhere'), file('moved')]);
    const creation = await client.vms.create({ image: 'unmanaged', start: false });
    await assert.rejects(creation.result(), { code: 'IMAGE_NOT_FOUND' });
  });

  it('an import that is cancelled leaves nothing', async () => {
    const folders = await readdir(home.layout.imagesDir);
    const operation = await client.images.import({ path: file('rootfs.tar'), name: 'cancelled' });
    await operation.cancel();
    await assert.rejects(operation.result(), { code: 'OPERATION_CANCELLED' });
    assert.deepEqual(await readdir(home.layout.imagesDir), folders);
  });
});
