import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { after, before, beforeEach, describe, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { isUserError, type ErrorCode } from '#contract/errors.ts';
import type { Kernel } from '#contract/owner/kernel.ts';
import { unpackPackage } from '#daemon/image/debian/kernel-unpack.ts';
import { arMember } from '../../support/ar-member.ts';
import {
  file as fileMember,
  folder as folderMember,
  hardLink,
  member,
  symlink as symlinkMember,
  tarOf,
} from '../../support/layer-tar.ts';
import { bzImage, lz4Literals, TINY_RELEASE, tinyElf, withSize } from '../../support/tiny-kernel.ts';
import { openService, type OpenService } from './open-service.ts';

const isX86 = process.arch === 'x64' ? false : 'the kernels of these tests are for x86_64';

function isThere(program: string): boolean {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0;
}

/** A kernel of a usual size, of which some can be packed well and some not at all. */
function largeElf(): Buffer {
  const text = Buffer.alloc(12 * 2 ** 20, 'what a kernel says, over and over\0');
  for (let at = 0; at < text.length; at += 4096) text.writeUInt32LE(at, at);
  return Buffer.concat([tinyElf(), text, createHash('shake256', { outputLength: 2 ** 20 }).digest(), text]);
}

const CONTROL =
  'Package: linux-image-tiny\nVersion: 1\nArchitecture: amd64\nMaintainer: us <us@example.org>\nDescription: tiny\n';

describe('importing kernels', { skip: isX86 }, () => {
  let folder: string;
  let opened: OpenService;
  let given: string;

  before(async () => {
    folder = await mkdtemp(`${tmpdir()}/bgr-kernels-`);
  });
  after(async () => {
    opened[Symbol.dispose]();
    await rm(folder, { recursive: true });
  });
  beforeEach(async () => {
    opened?.[Symbol.dispose]();
    await rm(folder, { recursive: true });
    given = `${folder}/given`;
    await mkdir(given, { recursive: true });
    await writeFile(`${folder}/agent`, 'agent');
    opened = await openService(folder);
  });

  const give = async (name: string, content: string | Buffer): Promise<string> => {
    const path = `${given}/${name}`;
    await mkdir(path.slice(0, path.lastIndexOf('/')), { recursive: true });
    await writeFile(path, content);
    return path;
  };
  const giveModules = async (base = 'lib/modules'): Promise<string> => {
    const names = ['virtio_mmio', 'virtio_blk', 'virtio_net', 'virtio_console', 'ext4'];
    const lines = names.map((name) => `kernel/drivers/${name}.ko\n`);
    await give(`${base}/${TINY_RELEASE}/modules.builtin`, lines.join(''));
    await give(`${base}/${TINY_RELEASE}/modules.order`, '');
    return `${given}/${base}/${TINY_RELEASE}`;
  };
  const importKernel = (path: string, modules?: string): Promise<Kernel> =>
    opened.service.kernels.import('mine', { path, modules }, {});
  const contentOf = (kernel: Kernel, name: string): Promise<Buffer> =>
    readFile(`${opened.service.kernels.folderOf(kernel.id)}/${name}`);
  const refuses = async (work: Promise<unknown>, message: RegExp, code: ErrorCode = 'KERNEL_INVALID') => {
    const error = await work.then(
      () => undefined,
      (failure: unknown) => failure,
    );
    assert.ok(isUserError(error, code), String(error));
    assert.match(error.message, message);
    assert.deepEqual(await readdir(opened.layout.kernelsDir).catch(() => []), []);
    assert.deepEqual(opened.service.listKernels(), []);
  };
  const makeDeb = async (tree: string): Promise<string> => {
    await mkdir(`${tree}/DEBIAN`, { recursive: true });
    await writeFile(`${tree}/DEBIAN/control`, CONTROL);
    const script = `#!/bin/sh\ntouch ${given}/executed\n`;
    await writeFile(`${tree}/DEBIAN/preinst`, script, { mode: 0o755 });
    execFileSync('chmod', ['-R', 'u=rwX,go=rX', tree]);
    execFileSync('dpkg-deb', ['--root-owner-group', '--build', tree, `${folder}/tiny.deb`], {
      stdio: 'ignore',
    });
    return `${folder}/tiny.deb`;
  };

  /** A package whose files are whatever is wished; dpkg-deb itself makes no such ones. */
  const packDeb = async (members: readonly Buffer[]): Promise<Buffer> => {
    const parts: [string, Buffer][] = [
      ['debian-binary', Buffer.from('2.0\n')],
      ['control.tar.gz', gzipSync(tarOf(fileMember('./control', CONTROL)))],
      ['data.tar.gz', gzipSync(tarOf(...members))],
    ];
    return Buffer.concat([
      Buffer.from('!<arch>\n'),
      ...parts.map(([name, content]) => arMember(name, content)),
    ]);
  };

  test('an ELF kernel with everything built in', async () => {
    const elf = tinyElf();
    const kernel = await importKernel(await give('vmlinux', elf));
    assert.deepEqual(
      [kernel.name, kernel.release, kernel.architecture, kernel.source, kernel.isDefault, kernel.recipe],
      ['mine', TINY_RELEASE, 'x86_64', `import:${given}/vmlinux`, false, undefined],
    );
    const ready = await opened.service.getKernel(kernel.id);
    assert.deepEqual(await readFile(ready.kernelPath), elf);
    assert.deepEqual(await readFile(ready.uncompressedKernelPath ?? ''), elf);
    assert.equal((await stat(ready.modulesDiskPath)).mode & 0o777, 0o444);
    const listing = execFileSync('/usr/sbin/debugfs', ['-R', 'ls -p /', ready.modulesDiskPath], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    assert.match(listing.toString(), /modules\.dep/);
    assert.ok((await stat(ready.initramfsPath)).size > 0);
    assert.deepEqual(
      (await readdir(opened.service.kernels.folderOf(kernel.id))).filter((name) => name === 'assembly'),
      [],
    );
  });

  test('a bzImage, whatever its payload is packed with', async () => {
    const elf = tinyElf();
    await give('plain', elf);
    execFileSync('xz', ['--check=crc32', '--keep', `${given}/plain`]);
    const payloads = {
      gzip: gzipSync(elf),
      zstd: withSize(zstdCompressSync(elf), elf.length),
      lz4: withSize(lz4Literals(elf), elf.length),
      xz: withSize(await readFile(`${given}/plain.xz`), elf.length),
    };
    for (const [name, payload] of Object.entries(payloads)) {
      const path = await give(`bzImage-${name}`, bzImage(payload));
      const kernel = await opened.service.kernels.import(name, { path }, {});
      assert.deepEqual(await contentOf(kernel, 'vmlinux'), elf, name);
      assert.deepEqual(await contentOf(kernel, 'vmlinuz'), bzImage(payload), name);
    }
  });

  // As the kernel's own build calls them (scripts/Makefile.lib); more than the 8 MiB of one LZ4 block.
  for (const [program, args, isSized] of [
    ['gzip', ['-n', '-9', '-c'], false],
    ['xz', ['--check=crc32', '--x86', '--lzma2=,dict=32MiB', '-c'], true],
    ['zstd', ['-22', '--ultra', '-c', '-q'], true],
    ['lz4', ['-l', '-9', '-c', '-q'], true],
  ] as const) {
    const skip = isThere(program) ? false : `needs the program ${program}`;
    test(`a bzImage whose payload ${program} packed`, { skip }, async () => {
      const elf = largeElf();
      const plain = await give('plain', elf);
      const packed = execFileSync(program, [...args, plain], { maxBuffer: 2 ** 26 });
      const image = bzImage(isSized ? withSize(packed, elf.length) : packed);
      const kernel = await importKernel(await give('bzImage', image));
      assert.ok((await contentOf(kernel, 'vmlinux')).equals(elf));
      assert.ok((await contentOf(kernel, 'vmlinuz')).equals(image));
      await opened.service.kernels.remove(kernel.id);
      const cut = packed.subarray(0, Math.floor(packed.length / 2));
      await refuses(
        importKernel(await give('cut', bzImage(isSized ? withSize(cut, elf.length) : cut))),
        /Cannot use/,
      );
      const longer = Buffer.from(image);
      longer.writeUInt32LE(2 ** 31, 0x24c);
      await refuses(importKernel(await give('longer', longer)), /cut short/);
    });
  }

  test('a bzImage packed in an unknown way is kept as it is, with its modules', async () => {
    const image = await give('bzImage', bzImage(Buffer.from('BZh9 who knows')));
    const kernel = await importKernel(image, await giveModules());
    const names = await readdir(opened.service.kernels.folderOf(kernel.id));
    assert.deepEqual(names.toSorted(), ['boot-modules', 'modules.ext4', 'vmlinuz']);
    await opened.service.kernels.remove(kernel.id);
    await refuses(importKernel(image), /has no virtio_mmio, virtio_blk, ext4, virtio_console, virtio_net/);
  });

  test('a folder, and one that is laid out otherwise', async () => {
    await give(`boot/vmlinuz-${TINY_RELEASE}`, bzImage(gzipSync(tinyElf({ drivers: [] }))));
    await giveModules('usr/lib/modules');
    assert.equal((await importKernel(given)).release, TINY_RELEASE);
    await rm(given, { recursive: true });
    await give('vmlinux', tinyElf());
    assert.equal((await opened.service.kernels.import('other', { path: given }, {})).release, TINY_RELEASE);
  });

  test('a Debian package, of which nothing is executed', async () => {
    await give(`boot/vmlinuz-${TINY_RELEASE}`, bzImage(gzipSync(tinyElf({ drivers: [] }))));
    await give(`boot/config-${TINY_RELEASE}`, 'CONFIG_HZ=300\n');
    await giveModules();
    const kernel = await importKernel(await makeDeb(given));
    assert.deepEqual(opened.service.kernels.find(kernel.id), { ...kernel, timerHz: 300 });
    assert.equal(kernel.source, `import:${folder}/tiny.deb`);
    assert.equal((await readdir(given)).includes('executed'), false);
    assert.equal((await readdir(opened.service.kernels.folderOf(kernel.id))).includes('package'), false);
  });

  test('links in a package do not lead out of it', async () => {
    await giveModules();
    await mkdir(`${folder}/outside`);
    await writeFile(`${folder}/outside/vmlinuz-${TINY_RELEASE}`, bzImage(gzipSync(tinyElf())));
    await symlink(`${folder}/outside`, `${given}/boot`);
    await refuses(importKernel(await makeDeb(given)), /it has no vmlinuz, bzImage or vmlinux/);
    await rm(`${given}/boot`);
    await mkdir(`${given}/boot`);
    await symlink(`${folder}/outside/vmlinuz-${TINY_RELEASE}`, `${given}/boot/vmlinuz-${TINY_RELEASE}`);
    await refuses(importKernel(await makeDeb(given)), /it has no vmlinuz, bzImage or vmlinux/);
  });

  test('a package that leads out of its folder is refused, and writes nothing there', async () => {
    const outside = `${folder}/outside`;
    await mkdir(outside);
    const vmlinuz = `vmlinuz-${TINY_RELEASE}`;
    const kernel = bzImage(gzipSync(tinyElf()));
    const hostile: Record<string, [Buffer[], RegExp]> = {
      'a symlink and what is below it': [
        [symlinkMember('./boot', outside), fileMember(`./boot/${vmlinuz}`, kernel)],
        /Cannot unpack/,
      ],
      'a symlink that becomes a folder': [
        [
          symlinkMember('./boot', '../outside'),
          folderMember('./boot/'),
          fileMember(`./boot/${vmlinuz}`, kernel),
        ],
        /Cannot (?:unpack|use)/,
      ],
      'two dots': [[fileMember(`../outside/${vmlinuz}`, kernel)], /Cannot unpack/],
      'two dots in the middle': [[fileMember(`./boot/../../outside/${vmlinuz}`, kernel)], /Cannot unpack/],
      'a hard link out': [[hardLink(`./boot/${vmlinuz}`, '/etc/passwd')], /Cannot unpack/],
      'an absolute name': [[fileMember(`${outside}/${vmlinuz}`, kernel)], /it has no vmlinuz/],
      'a device': [
        [member({ name: `./boot/${vmlinuz}`, type: '4', major: 8, minor: 0 })],
        /Cannot (?:unpack|use)/,
      ],
      'a pipe': [[member({ name: `./boot/${vmlinuz}`, type: '6' })], /it has no vmlinuz/],
    };
    for (const [name, [members, message]] of Object.entries(hostile)) {
      await refuses(importKernel(await give('hostile.deb', await packDeb(members))), message);
      assert.deepEqual(await readdir(outside), [], name);
    }
  });

  test('a package that has a name twice is refused, whatever tar makes of it', async () => {
    const vmlinuz = fileMember(`./boot/vmlinuz-${TINY_RELEASE}`, bzImage(gzipSync(tinyElf())));
    await refuses(
      importKernel(await give('hostile.deb', await packDeb([vmlinuz, vmlinuz]))),
      /it has "boot\/vmlinuz-.*" twice/,
    );
  });

  test('a package that is cut short anywhere is refused', async () => {
    await give(`boot/vmlinuz-${TINY_RELEASE}`, bzImage(gzipSync(tinyElf())));
    const whole = await readFile(await makeDeb(given));
    for (const part of [0.2, 0.5, 0.8, 0.99]) {
      const path = await give('cut.deb', whole.subarray(0, Math.floor(whole.length * part)));
      await refuses(importKernel(path), /Cannot unpack/);
    }
  });

  test('links among modules stay behind', async () => {
    const modules = await giveModules();
    await symlink('/etc/shadow', `${modules}/source`);
    const kernel = await importKernel(
      await give('bzImage', bzImage(gzipSync(tinyElf({ drivers: [] })))),
      modules,
    );
    const disk = `${opened.service.kernels.folderOf(kernel.id)}/modules.ext4`;
    const listing = execFileSync('/usr/sbin/debugfs', ['-R', 'ls -p /', disk], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    assert.doesNotMatch(listing.toString(), /source/);
  });

  test('what is no kernel is refused, and nothing is left', async () => {
    const elf = tinyElf();
    const image = bzImage(gzipSync(elf));
    await refuses(importKernel(await give('text', 'x'.repeat(5000))), /neither a bzImage nor an ELF image/);
    await refuses(importKernel(await give('empty', '')), /neither/);
    await refuses(importKernel(`${given}/nowhere`), /it is not there/);
    await refuses(importKernel(await give('cut', image.subarray(0, 1100))), /cut short/);
    await refuses(
      importKernel(await give('arm', tinyElf({ machine: 183 }))),
      /it is for aarch64, and this host runs x86_64/,
    );
    await refuses(
      importKernel(await give('old', bzImage(gzipSync(elf), { is64Bit: false }))),
      /it is for i386/,
    );
    await refuses(
      importKernel(await give('no-pvh', tinyElf({ noteType: 7 }))),
      /no entry by which a virtual machine/,
    );
    await refuses(
      importKernel(await give('damaged', bzImage(withSize(zstdCompressSync(elf), elf.length + 1)))),
      /not as long/,
    );
    await refuses(importKernel(await give('text.deb', '!<arch>\nnonsense')), /Cannot unpack/);
    execFileSync('mkfifo', [`${given}/pipe`]);
    await refuses(importKernel(`${given}/pipe`), /it is not a file/);
    const large = await give('large', '');
    await truncate(large, 2 ** 40);
    await refuses(importKernel(large), /it is larger than 256 MiB/);
  });

  test('a kernel without a driver that every VM needs is refused, with what is missing', async () => {
    const without = await give('vmlinux', tinyElf({ drivers: ['ext4', 'virtio_blk', 'virtio-mmio'] }));
    await refuses(importKernel(without), /6\.9\.0-tiny has no virtio_console, virtio_net/);
  });

  test('modules of another kernel are refused', async () => {
    await give('bzImage', bzImage(gzipSync(tinyElf({ drivers: [] }))));
    await give('lib/modules/5.4.0-old/modules.builtin', '');
    await refuses(importKernel(given), /the modules beside it are for 5\.4\.0-old/);
    await refuses(importKernel(`${given}/bzImage`, `${given}/nowhere`), /not a folder with modules/);
  });

  test('several kernels in a folder are not guessed between', async () => {
    await give('boot/vmlinuz-1', 'a');
    await give('boot/vmlinuz-2', 'b');
    await refuses(importKernel(given), /several kernels: vmlinuz-1, vmlinuz-2/);
  });

  test('a payload and a package that unpack to too much are refused', async () => {
    const bomb = zstdCompressSync(Buffer.alloc(257 * 2 ** 20));
    await refuses(importKernel(await give('bomb', bzImage(withSize(bomb, 1)))), /Cannot use/);
    const zeros = await open(`${given}/zeros`, 'w');
    await zeros.truncate(8 * 2 ** 20);
    await zeros.close();
    const deb = await makeDeb(given);
    const options = {
      what: 'it',
      code: 'KERNEL_INVALID',
      hint: '',
      signal: AbortSignal.timeout(30_000),
    } as const;
    const target = `${folder}/unpacked`;
    await refuses(
      unpackPackage(deb, target, { ...options, maxBytes: 2 ** 20 }),
      /unpacks to more than 1 MiB/,
    );
    assert.deepEqual(await readdir(target), []);
  });

  test('names that are taken or not allowed', async () => {
    const path = await give('vmlinux', tinyElf());
    const { kernels } = opened.service;
    for (const name of ['', '../up', 'a b', '-x', '0123456789ab', 'x'.repeat(65)])
      await refuses(kernels.import(name, { path }, {}), /the name is not allowed/, 'INVALID_NAME');
    await refuses(kernels.import('debian-trixie', { path }, {}), /another one/, 'KERNEL_NAME_TAKEN');
    await Promise.all([importKernel(path), importKernel(path)]); // the same at the same time is done once
    assert.equal(kernels.list().length, 1);
    const others = [path, await give('copy', tinyElf())].map((one) =>
      kernels.import('two', { path: one }, {}),
    );
    const ends = await Promise.allSettled(others);
    assert.deepEqual(ends.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected']);
    assert.equal(kernels.list().length, 2);
    await assert.rejects(importKernel(path), { code: 'KERNEL_NAME_TAKEN' });
  });

  test('an import that is broken off leaves nothing', async () => {
    const path = await give('vmlinux', tinyElf());
    const controller = new AbortController();
    const report = {
      stage: () => {},
      detail: () => controller.abort(new Error('enough')),
      progress: () => {},
    };
    const options = { signal: controller.signal, report };
    await assert.rejects(opened.service.kernels.import('mine', { path }, options), /enough/);
    assert.deepEqual(await readdir(opened.layout.kernelsDir), []);
  });
});
