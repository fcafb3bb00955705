import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { after, before, beforeEach, describe, test } from 'node:test';
import { isUserError, UserError } from '#contract/errors.ts';
import type { ImageBuilder, KernelBuilder } from '#daemon/image/builders.ts';
import { KernelRepository } from '#store/kernel-repository.ts';
import { openService, type OpenService } from './open-service.ts';
import { recipeCatalogs } from '../../support/recipe-catalog.ts';
import { tinyRecipe } from './tiny-recipe.ts';

/** Writes what a real build leaves, when the test says so. */
class FakeImageBuilder implements ImageBuilder {
  builds: string[] = [];
  failure: Error | undefined;
  gate = Promise.resolve();

  build: ImageBuilder['build'] = async (recipe, folder, { signal }) => {
    this.builds.push(recipe.name);
    await writeFile(`${folder}/half.tar`, 'half');
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
    });
    await Promise.race([this.gate, aborted]);
    if (this.failure) throw this.failure;
    await rm(`${folder}/half.tar`);
    await writeFile(`${folder}/rootfs.ext4`, 'an image');
  };
}

const fakeKernelBuilder: KernelBuilder = {
  async build(folder) {
    await writeFile(`${folder}/vmlinuz`, 'a kernel');
    await writeFile(`${folder}/modules.ext4`, 'modules');
    await mkdir(`${folder}/boot-modules`);
    await writeFile(`${folder}/boot-modules/virtio.ko`, 'virtio');
    await writeFile(`${folder}/boot-modules/modules.list`, 'virtio.ko\n');
    return { release: '6.1.0-1-cloud', source: 'linux-image-6.1.0-1-cloud 6.1-1' };
  },
};

describe('image service', () => {
  let folder: string;
  let builder: FakeImageBuilder;
  let opened: OpenService;

  before(async () => {
    folder = await mkdtemp(`${tmpdir()}/banger-images-`);
  });
  after(async () => {
    opened[Symbol.dispose]();
    await rm(folder, { recursive: true });
  });
  beforeEach(async () => {
    opened?.[Symbol.dispose]();
    await rm(folder, { recursive: true });
    await mkdir(folder);
    await writeFile(`${folder}/agent`, 'agent 1');
    builder = new FakeImageBuilder();
    opened = await reopen();
  });

  const reopen = () =>
    openService(folder, {
      catalogs: recipeCatalogs(tinyRecipe),
      imageBuilder: builder,
      kernelBuilder: fakeKernelBuilder,
    });

  test('builds a missing image once, whoever asks', async () => {
    const images = await Promise.all(
      ['tiny', 'tiny', 'tiny'].map((name) => opened.service.ensureImage(name)),
    );
    const again = await opened.service.ensureImage('tiny');
    assert.deepEqual(builder.builds, ['tiny']);
    assert.equal(new Set([...images, again].map(({ rootDiskPath }) => rootDiskPath)).size, 1);
    assert.equal(await readFile(again.rootDiskPath, 'utf8'), 'an image');
    assert.deepEqual((await opened.service.getImage(again.record.id)).record, again.record);
    assert.deepEqual(opened.service.listAvailable(), [
      {
        name: 'tiny',
        description: tinyRecipe.description,
        kind: 'recipe',
        catalog: 'built-in',
        origin: 'Debian bookworm',
        sizeBytes: tinyRecipe.sizeBytes,
        pulled: true,
      },
    ]);
  });

  test('knows what it cannot make, and says what was probably meant', async () => {
    assert.equal(opened.service.isAvailable('tiny'), true);
    assert.equal(opened.service.isAvailable('tinny'), false);
    const failure = await opened.service.ensureImage('tinny').catch((error: unknown) => error);
    assert.ok(isUserError(failure, 'IMAGE_NOT_FOUND'));
    assert.match(failure.hint ?? '', /did you mean "tiny"/);
    await assert.rejects(opened.service.getImage('0123456789ab'), { code: 'IMAGE_NOT_FOUND' });
    await assert.rejects(opened.service.getKernel('0123456789ab'), { code: 'KERNEL_NOT_FOUND' });
  });

  test('a build that fails or is aborted leaves nothing', async () => {
    builder.failure = new UserError('IMAGE_BUILD_FAILED', 'Cannot build the image "tiny": no network');
    await assert.rejects(opened.service.ensureImage('tiny'), { code: 'IMAGE_BUILD_FAILED' });
    builder.gate = new Promise(() => {});
    await assert.rejects(opened.service.ensureImage('tiny', { signal: AbortSignal.timeout(20) }), {
      name: 'TimeoutError',
    });
    assert.deepEqual(await readdir(opened.layout.imagesDir), []);
    assert.deepEqual(opened.service.listImages(), []);
  });

  test('removes partial folders, files without a row, rows without files, and nothing else', async () => {
    const { record } = await opened.service.ensureImage('tiny');
    await mkdir(`${opened.layout.imagesDir}/.aaaaaaaaaaaa.partial/tmp/deep`, { recursive: true });
    await mkdir(`${opened.layout.imagesDir}/bbbbbbbbbbbb`);
    await mkdir(`${opened.layout.imagesDir}/not-ours`);
    const kernels = new KernelRepository(opened.database);
    const { record: kernel } = await opened.service.ensureKernel();
    kernels.insert({ ...kernel, id: 'cccccccccccc', name: 'gone' });

    opened[Symbol.dispose]();
    opened = await reopen();
    await opened.service.removeLeftovers();

    assert.deepEqual((await readdir(opened.layout.imagesDir)).toSorted(), [record.id, 'not-ours'].toSorted());
    assert.deepEqual(opened.service.listImages(), [record]);
    assert.deepEqual(opened.service.listKernels(), [{ ...kernel, isDefault: true }]);
  });

  test('another agent makes another initramfs, for the same kernel', async () => {
    const first = await opened.service.ensureKernel();
    assert.equal((await opened.service.ensureKernel()).initramfsPath, first.initramfsPath);
    await writeFile(`${folder}/agent`, 'agent two');
    const second = await opened.service.getKernel(first.record.id);
    assert.equal(second.kernelPath, first.kernelPath);
    assert.notEqual(second.initramfsPath, first.initramfsPath);
    assert.ok((await readFile(second.initramfsPath, 'latin1')).includes('agent two'));
    const left = (await readdir(`${opened.layout.kernelsDir}/${first.record.id}`)).filter((name) =>
      name.startsWith('initramfs'),
    );
    assert.equal(left.length, 1);
  });

  test('a missing agent is said so', async () => {
    await rm(`${folder}/agent`);
    await assert.rejects(opened.service.ensureKernel(), { code: 'INITRAMFS_BUILD_FAILED' });
  });

  test('rows are read strictly', async () => {
    await opened.service.ensureImage('tiny');
    opened.database.exec("UPDATE images SET architecture = 'vax'");
    assert.throws(() => opened.service.listImages());
  });
});
