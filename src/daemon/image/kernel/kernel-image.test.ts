import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { after, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { isUserError } from '#contract/errors.ts';
import { arm64Image, bzImage, TINY_RELEASE, tinyElf } from '../../../../test/support/tiny-kernel.ts';
import { readKernelImage, type KernelImage, type ReadKernelOptions } from './kernel-image.ts';

describe('a kernel of a user', () => {
  const workFolder = mkdtempSync(`${tmpdir()}/bgr-kernel-image-`);
  after(() => rmSync(workFolder, { recursive: true }));

  type ArchitectureName = ReadKernelOptions['architecture'];
  const read = (image: Buffer, architecture: ArchitectureName): Promise<KernelImage> =>
    readKernelImage(image, { name: 'it', architecture, workFolder, signal: AbortSignal.timeout(10_000) });
  const refuses = async (image: Buffer, architecture: ArchitectureName, message: RegExp, hint = /./) => {
    const error = await read(image, architecture).catch((failure: unknown) => failure);
    assert.ok(isUserError(error, 'KERNEL_INVALID'), String(error));
    assert.match(error.message, message);
    assert.match(error.hint ?? '', hint);
  };

  for (const [name, image] of [
    ['Image', arm64Image()],
    ['Image.gz', gzipSync(arm64Image())],
  ] as const) {
    test(`an arm64 ${name} is kept unpacked, and read for what is built in`, async () => {
      const kernel = await read(image, 'aarch64');
      assert.equal(kernel.release, TINY_RELEASE);
      assert.deepEqual([kernel.image, kernel.unpacked], [arm64Image(), arm64Image()]);
      assert.equal(kernel.isStartable, false);
    });

    test(`an arm64 ${name} is nothing for another host`, async () => {
      await refuses(image, 'x86_64', /it is for aarch64, and this host runs x86_64/);
    });
  }

  test('a bzImage is nothing for an arm64 host, nor is its vmlinux', async () => {
    await refuses(bzImage(gzipSync(tinyElf())), 'aarch64', /it is for x86_64, and this host runs aarch64/);
    await refuses(tinyElf({ machine: 183, noteType: 7 }), 'aarch64', /no entry/, /import its Image/);
  });

  test('an ELF image with gzip around it', async () => {
    const kernel = await read(gzipSync(tinyElf()), 'x86_64');
    assert.deepEqual([kernel.image, kernel.isStartable], [tinyElf(), true]);
  });

  test('an initramfs, an EFI zboot image, damaged gzip and a bomb', async () => {
    const cpio = Buffer.concat([Buffer.from('070701'), Buffer.alloc(5000)]);
    await refuses(cpio, 'x86_64', /it is an initramfs/, /give the kernel/);
    await refuses(gzipSync(cpio), 'aarch64', /it is an initramfs/);
    const zboot = Buffer.alloc(5000);
    zboot.write('MZ\0\0zimg', 0, 'latin1');
    await refuses(zboot, 'aarch64', /it is packed for EFI/, /CONFIG_EFI_ZBOOT/);
    await refuses(gzipSync(arm64Image()).subarray(0, -30), 'aarch64', /gzip data is damaged/);
    await refuses(gzipSync(Buffer.alloc(257 * 2 ** 20)), 'aarch64', /more than 256 MiB/);
    await refuses(arm64Image().subarray(0, 1024), 'aarch64', /which release of Linux/);
  });
});
