import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { GiB, MiB } from '#base/sizes.ts';
import type { Kernel } from '#contract/owner/kernel.ts';
import { RegistryPuller } from '#daemon/image/source/registry-puller.ts';
import { KernelRepository } from '#store/kernel-repository.ts';
import { push, skip, startRegistry } from '../oci/debian-registry.ts';
import { makeImage } from '../oci/tiny-image.ts';
import { readExt4Entry, run } from './ext4-entry.ts';
import { openService } from './open-service.ts';
import { recipeCatalogs } from '../../support/recipe-catalog.ts';
import { tinyRecipe } from './tiny-recipe.ts';

const MAKE_LAYERS = `
set -eu
cd "$1"
mkdir -p one/bin two/bin
echo first > one/bin/tool; chmod 4755 one/bin/tool; echo gone > one/bin/gone
echo second > two/bin/more; : > two/bin/.wh.gone
for layer in one two; do tar --create --file $layer.tar --numeric-owner -C $layer .; done
`;

const KERNEL: Kernel = {
  ...{ id: '', name: '', release: '6.1.0', architecture: 'x86_64', source: 'here' },
  ...{ isDefault: false, allocatedBytes: 0, createdAt: new Date(0).toISOString() },
};

/** A registry with one image of two layers, and a service that pulls from it. */
async function openPlace(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'banger-pull-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await run('fakeroot', ['sh', '-c', MAKE_LAYERS, 'sh', folder]);
  const tars = await Promise.all(['one', 'two'].map((name) => readFile(join(folder, `${name}.tar`), 'utf8')));
  const registry = await startRegistry(t);
  const reference = `${registry}/acme/tool:1`;
  await push([makeImage(tars)], reference);
  const puller = new RegistryPuller({
    cacheFolder: join(folder, 'cache/oci'),
    authFiles: [],
    patience: { attempts: 1, pauseMs: 5, maxRetryAfterMs: 100 },
  });
  const opened = await openService(folder, { catalogs: recipeCatalogs(tinyRecipe), puller });
  t.after(() => opened[Symbol.dispose]());
  return { ...opened, folder, registry, tars, wish: { reference, insecureHttp: true, sizeBytes: 128 * MiB } };
}

test('an image of a registry becomes a root disk, once for all who want it', { skip }, async (t) => {
  const { service, wish, layout } = await openPlace(t);
  const [image, other] = await Promise.all([
    service.obtain({ ...wish, name: 'tool' }, {}),
    service.obtain({ ...wish, name: 'tool' }, {}),
  ]);
  assert.equal(image.id, other.id);
  assert.deepEqual([image.kind, image.source], ['oci', `oci:${wish.reference}`]);
  assert.match(image.digest ?? '', /^sha256:/);
  assert.deepEqual(image.config, { cmd: ['/bin/sh'], env: ['PATH=/bin'], labels: { made: 'here' } });
  const { rootDiskPath } = await service.ensureImage('tool');
  assert.equal((await readExt4Entry(rootDiskPath, '/bin/tool')).mode, 0o4755);
  const { stdout } = await run('debugfs', ['-R', 'ls -p /bin', rootDiskPath]);
  const names = stdout.split('\n').flatMap((line) => line.split('/')[5] ?? []);
  assert.deepEqual(names.toSorted(), ['.', '..', 'more', 'tool']);
  await run('e2fsck', ['-fn', rootDiskPath]);
  assert.deepEqual((await readdir(join(layout.imagesDir, image.id))).toSorted(), ['layers', 'rootfs.ext4']);
});

test('what was downloaded is kept until it is pruned', { skip }, async (t) => {
  const { service, wish, folder } = await openPlace(t);
  await service.obtain({ ...wish, name: 'tool' }, {});
  const counted = await service.pruneCache({ dryRun: true });
  assert.equal(counted.files, 3);
  assert.deepEqual(await service.pruneCache({ dryRun: false }), counted);
  assert.deepEqual(await readdir(join(folder, 'cache/oci/blobs/sha256')), []);
  assert.equal((await service.ensureImage('tool')).record.name, 'tool');
});

test(
  'a second pull of a name asks the registry: the name goes to what is new, the old image stays',
  { skip },
  async (t) => {
    const { service, wish, registry, tars, layout } = await openPlace(t);
    const request = { ...wish, name: 'tool' };
    const first = await service.pull(request, {});
    const stages: string[] = [];
    const report = { stage: (name: string) => stages.push(name), detail() {}, progress() {} };
    assert.deepEqual(await service.pull(request, { report }), first);
    assert.deepEqual(stages, ['pull-image', 'up-to-date']);

    await push([makeImage(tars.toReversed())], wish.reference);
    assert.deepEqual(await service.obtain(request, {}), first, 'who only needs an image takes what is there');
    const [second, same] = await Promise.all([service.pull(request, {}), service.pull(request, {})]);
    assert.equal(second.id, same.id);
    assert.notEqual(second.id, first.id);
    assert.equal(service.store.find('tool')?.id, second.id);
    assert.deepEqual(service.store.find(first.id), { ...first, name: first.id, names: [] });
    const users = [{ id: 'v', name: 'vm', state: 'stopped' }];
    await service.store.removeNameless((id) => (id === first.id ? users : []));
    assert.ok(service.store.find(first.id), 'a VM begins from it');
    await service.store.removeNameless(() => []);
    assert.equal(service.store.find(first.id), undefined);
    assert.deepEqual(await readdir(layout.imagesDir), [second.id]);

    const gone = { ...request, reference: `${registry}/acme/gone` };
    await assert.rejects(service.pull(gone, {}), { code: 'IMAGE_NOT_FOUND' });
    assert.equal(service.store.find('tool')?.id, second.id);
  },
);

test('what a name was pulled with it keeps: kernel and size', { skip }, async (t) => {
  const { service, wish, tars, database } = await openPlace(t);
  const kernels = new KernelRepository(database);
  const [one, other] = ['111111111111', '222222222222'].map((id) => ({
    ...KERNEL,
    id,
    name: `kernel-${id}`,
  }));
  for (const kernel of [one!, other!]) kernels.insert(kernel);
  const first = await service.pull({ ...wish, name: 'tool', sizeBytes: 9 * GiB, kernelId: one!.id }, {});
  const plain = { reference: wish.reference, insecureHttp: true, name: 'tool' };
  assert.equal((await service.pull(plain, {})).kernelId, one!.id);
  await push([makeImage(tars.toReversed())], wish.reference);
  const second = await service.pull(plain, {});
  assert.notEqual(second.id, first.id);
  assert.deepEqual([second.kernelId, second.virtualBytes], [one!.id, 9 * GiB]);
  const third = await service.pull({ ...plain, kernelId: other!.id }, {});
  assert.deepEqual(
    [third.id, third.kernelId],
    [second.id, other!.id],
    'the same image, with the kernel it was asked for',
  );
  kernels.delete(other!.id);
  await push([makeImage(tars)], wish.reference);
  assert.equal((await service.pull(plain, {})).kernelId, undefined, 'a kernel that is gone');
});

test('what is damaged in the cache is fetched and read again', { skip }, async (t) => {
  const { service, wish, folder } = await openPlace(t);
  await service.obtain({ ...wish, name: 'tool' }, {});
  const headers = join(folder, 'cache/oci/headers');
  for (const name of await readdir(headers)) await writeFile(join(headers, name), 'damaged');
  await service.obtain({ ...wish, name: 'again' }, {});
  for (const name of await readdir(headers)) await truncate(join(headers, name), 20);
  await service.obtain({ ...wish, name: 'once-more' }, {});
  const { rootDiskPath } = await service.ensureImage('once-more');
  assert.equal((await readExt4Entry(rootDiskPath, '/bin/tool')).mode, 0o4755);
});

test('a pull that fails or is cancelled leaves no image', { skip }, async (t) => {
  const { service, wish, layout, registry } = await openPlace(t);
  const missing = { ...wish, name: 'missing', reference: `${registry}/acme/missing` };
  await assert.rejects(service.obtain(missing, {}), { code: 'IMAGE_NOT_FOUND' });
  const reason = new Error('cancelled');
  const aborting = new AbortController();
  const pulling = service.obtain(
    { ...wish, name: 'tool' },
    {
      signal: aborting.signal,
      report: {
        stage: (name) => name === 'make-file-system' && aborting.abort(reason),
        detail() {},
        progress() {},
      },
    },
  );
  await assert.rejects(pulling, reason);
  assert.deepEqual(await readdir(layout.imagesDir), []);
  assert.deepEqual(service.listImages(), []);
});

test(
  'a bare word that is nearly a known name is a typing error; what reads as a reference is not',
  { skip },
  async (t) => {
    const { service } = await openPlace(t);
    await assert.rejects(service.assertAvailable('tinny'), { code: 'IMAGE_NOT_FOUND' });
    assert.equal(service.isAvailable('alpine'), true);
    assert.equal(service.isAvailable('ghcr.io/acme/tinny:1'), true);
    assert.equal(service.isAvailable('No Reference'), false);
  },
);
