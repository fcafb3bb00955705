import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { GiB } from '#base/sizes.ts';
import { LayerFault } from '#oci/layers/layer-fault.ts';
import { tarEnd } from '#oci/layers/write-tar-header.ts';
import {
  file,
  folder as folderMember,
  hardLink,
  member,
  symlink,
  tarOf,
} from '../../../../test/support/layer-tar.ts';
import { readBundleMembers } from './bundle-members.ts';
import { peekBundle } from './unpack-bundle.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bgr-bundle-'));
});
after(() => rm(folder, { recursive: true }));

const manifest = file('manifest.json', '{}');
const disk = file('rootfs.ext4', 'disk');

async function read(bytes: Buffer): Promise<string[]> {
  const path = join(folder, 'bundle');
  await writeFile(path, bytes);
  const names: string[] = [];
  for await (const { name, size, source } of readBundleMembers(path, {})) {
    await source.take(size);
    names.push(name);
  }
  return names;
}

test('takes both members in either order', async () => {
  assert.deepEqual(await read(zstdCompressSync(tarOf(manifest, disk))), ['manifest.json', 'rootfs.ext4']);
  assert.deepEqual(await read(zstdCompressSync(tarOf(disk, manifest))), ['rootfs.ext4', 'manifest.json']);
});

const packed = zstdCompressSync(tarOf(manifest, disk));
const damaged = Buffer.from(packed);
damaged[20] = (damaged[20] ?? 0) ^ 0xff;

for (const [what, bytes] of Object.entries({
  'a third member': tarOf(manifest, disk, file('more')),
  'a member before': tarOf(file('more'), manifest, disk),
  'a folder': tarOf(folderMember('./'), manifest, disk),
  'no disk': tarOf(manifest),
  'no manifest': tarOf(disk),
  'nothing in it': tarEnd(),
  'two manifests': tarOf(manifest, manifest, disk),
  'two disks': tarOf(manifest, disk, disk),
  'a disk that is a symlink': tarOf(manifest, symlink('rootfs.ext4', '/etc/shadow')),
  'a manifest that is a symlink': tarOf(symlink('manifest.json', '/etc/shadow'), disk),
  'a disk that is a hard link': tarOf(manifest, hardLink('rootfs.ext4', 'manifest.json')),
  'a disk that is a device': tarOf(manifest, member({ name: 'rootfs.ext4', type: '4', major: 8 })),
  'a disk that is a pipe': tarOf(manifest, member({ name: 'rootfs.ext4', type: '6' })),
  'a disk that is a folder': tarOf(manifest, member({ name: 'rootfs.ext4', type: '5' })),
  'a name that goes up': tarOf(manifest, file('../rootfs.ext4')),
  'a name that is absolute': tarOf(manifest, file('/rootfs.ext4')),
  'a name with a dot before': tarOf(manifest, file('./rootfs.ext4')),
  'a name of 4 KiB': tarOf(manifest, file('r'.repeat(4096))),
  'a disk with extended attributes': tarOf(
    manifest,
    file('rootfs.ext4', '', { xattrs: [{ name: 'user.x', value: Buffer.from('x') }] }),
  ),
  'a sparse disk': tarOf(manifest, member({ name: 'rootfs.ext4', type: 'S' as '0' })),
  'a disk that is cut off': tarOf(manifest, disk).subarray(0, 1536 + 100),
  'something behind its end': Buffer.concat([tarOf(manifest, disk), disk]),
})) {
  test(`refuses a bundle with ${what}`, async () => {
    await assert.rejects(read(zstdCompressSync(bytes)), LayerFault);
  });
}

for (const [what, bytes] of Object.entries({
  gzip: gzipSync(tarOf(manifest, disk)),
  'a plain tar': tarOf(manifest, disk),
  'zstd that is cut off': packed.subarray(0, -8),
  'zstd that is damaged': damaged,
  'zstd with something behind': Buffer.concat([packed, Buffer.from('more')]),
  'nothing at all': Buffer.alloc(0),
})) {
  test(`refuses ${what}`, async () => {
    await assert.rejects(read(bytes), LayerFault);
  });
}

test('a disk above 8 GiB is refused by its header', async () => {
  const huge = member({ name: 'rootfs.ext4', size: 8 * GiB + 1 });
  await assert.rejects(read(zstdCompressSync(Buffer.concat([manifest, huge]))), { code: 'IMAGE_TOO_LARGE' });
});

test('a manifest above 1 MiB is refused by its header', async () => {
  const huge = member({ name: 'manifest.json', size: 2 ** 20 + 1 });
  await assert.rejects(read(zstdCompressSync(huge)), { code: 'IMAGE_TOO_LARGE' });
});

test('a bundle is told from the tars of root file systems and of images', async () => {
  const peek = async (tar: Buffer) => {
    const path = join(folder, 'peeked');
    await writeFile(path, tar);
    return peekBundle(path);
  };
  const ours = file('manifest.json', '{"version": 1, "rootfs": {}}');
  assert.deepEqual(await peek(zstdCompressSync(tarOf(ours, disk))), { manifest: undefined });
  assert.deepEqual(await peek(zstdCompressSync(tarOf(disk, ours))), { manifest: undefined });
  const docker = file('manifest.json', '[{"Config": "x", "Layers": []}]');
  for (const tar of [tarOf(docker, disk), tarOf(file('etc/passwd'), disk), Buffer.from('text')])
    assert.equal(await peek(zstdCompressSync(tar)), undefined);
  assert.equal(await peek(tarOf(ours, disk)), undefined);
  assert.equal(await peekBundle(join(folder, 'missing')), undefined);
  assert.equal(await peekBundle(folder), undefined);
});
