import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { ensureArtifacts } from '../support/artifacts.ts';
import { bzImage, lz4Literals, tinyElf, withSize } from '../support/tiny-kernel.ts';
import { openService, type OpenService } from '../integration/image/open-service.ts';

describe('a kernel of a distribution', () => {
  let source: string;
  let folder: string;
  let modules: string;
  let opened: OpenService;

  before(async () => {
    const kernelsDir = join(await ensureArtifacts(), 'kernels');
    const [id] = await readdir(kernelsDir);
    assert.ok(id);
    source = join(kernelsDir, id);
    folder = await mkdtemp(`${tmpdir()}/bgr-real-kernel-`);
    modules = `${folder}/modules`;
    await mkdir(modules);
    await writeFile(`${folder}/agent`, 'agent');
    execFileSync('/usr/sbin/debugfs', ['-R', `rdump / ${modules}`, `${source}/modules.ext4`], {
      stdio: 'ignore',
    });
    opened = await openService(folder);
  });
  after(async () => {
    opened[Symbol.dispose]();
    await rm(folder, { recursive: true });
  });

  test('comes out of its parts as it was fetched', async () => {
    const { kernels } = opened.service;
    const kernel = await kernels.import('parts', { path: `${source}/vmlinuz`, modules }, {});
    const made = kernels.folderOf(kernel.id);
    for (const name of ['vmlinuz', 'vmlinux'])
      assert.ok((await readFile(`${made}/${name}`)).equals(await readFile(`${source}/${name}`)), name);
    const drivers = (await readFile(`${made}/boot-modules/modules.list`, 'utf8')).split('\n');
    for (const name of [
      'virtio_ring',
      'virtio',
      'virtio_mmio',
      'virtio_blk',
      'virtio_console',
      'net_failover',
      'virtio_net',
    ])
      assert.ok(drivers.includes(`${name}.ko`), `${name} of ${drivers.join()}`);
    assert.ok(drivers.indexOf('virtio_ring.ko') < drivers.indexOf('virtio_blk.ko'));
    const names = execFileSync('/usr/sbin/debugfs', ['-R', 'ls -p /', `${made}/modules.ext4`], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    for (const name of ['kernel', 'modules.dep.bin', 'modules.alias.bin'])
      assert.match(names.toString(), new RegExp(`/${name}/`));
    execFileSync('/usr/sbin/e2fsck', ['-fn', `${made}/modules.ext4`], { stdio: 'ignore' });
  });

  test('comes out of a package', async () => {
    const { release } = opened.service.kernels.find('parts');
    const tree = `${folder}/tree`;
    for (const name of ['boot', 'DEBIAN', 'lib/modules']) await mkdir(`${tree}/${name}`, { recursive: true });
    await copyFile(`${source}/vmlinuz`, `${tree}/boot/vmlinuz-${release}`);
    execFileSync('cp', ['-r', modules, `${tree}/lib/modules/${release}`]);
    const control =
      'Package: linux-image-x\nVersion: 1\nArchitecture: amd64\nMaintainer: us <us@example.org>\nDescription: x\n';
    await writeFile(`${tree}/DEBIAN/control`, control);
    execFileSync('chmod', ['-R', 'u=rwX,go=rX', tree]);
    const path = `${folder}/kernel.deb`;
    execFileSync('dpkg-deb', ['-Znone', '--root-owner-group', '--build', tree, path], { stdio: 'ignore' });
    assert.equal((await opened.service.kernels.import('package', { path }, {})).release, release);
  });

  test('comes out of whatever it is packed with, the same', async () => {
    const elf = await readFile(`${source}/vmlinux`);
    await copyFile(`${source}/vmlinux`, `${folder}/packed`);
    execFileSync('xz', ['-0', '--check=crc32', `${folder}/packed`]);
    const payloads = {
      xz: withSize(await readFile(`${folder}/packed.xz`), elf.length),
      zstd: withSize(zstdCompressSync(elf), elf.length),
      lz4: withSize(lz4Literals(elf), elf.length),
    };
    const image = await readFile(`${source}/vmlinuz`);
    for (const [name, payload] of Object.entries(payloads)) {
      const path = `${folder}/${name}`;
      await writeFile(path, repack(image, payload));
      const kernel = await opened.service.kernels.import(name, { path, modules }, {});
      assert.ok((await readFile(`${opened.service.kernels.folderOf(kernel.id)}/vmlinux`)).equals(elf), name);
    }
  });

  test('is not found to have drivers built in that are its modules', async () => {
    const work = opened.service.kernels.import('bare', { path: `${source}/vmlinux` }, {});
    await assert.rejects(work, {
      code: 'KERNEL_INVALID',
      details: { missing: ['virtio_mmio', 'virtio_blk', 'virtio_console', 'virtio_net'] },
    });
  });

  test('does not lend its modules to another', async () => {
    const path = `${folder}/tiny`;
    await writeFile(path, bzImage(withSize(zstdCompressSync(tinyElf()), tinyElf().length)));
    const work = opened.service.kernels.import('tiny', { path, modules }, {});
    await assert.rejects(work, {
      code: 'KERNEL_INVALID',
      message: /is 6\.9\.0-tiny and its module "virtio\w*\.ko" is for 6\./,
    });
  });
});

/** The same setup code with another payload behind it. */
function repack(image: Buffer, payload: Buffer): Buffer {
  const start = ((image[0x1f1] || 4) + 1) * 512 + image.readUInt32LE(0x248);
  const head = Buffer.from(image.subarray(0, start));
  head.writeUInt32LE(payload.length, 0x24c);
  return Buffer.concat([head, payload]);
}
