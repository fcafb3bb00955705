import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { silentLogger } from '#base/log.ts';
import type { Kernel } from '#contract/owner/kernel.ts';
import type { KernelBuilder } from '#daemon/image/builders.ts';
import { KernelService } from '#daemon/image/kernel/kernel-service.ts';
import { OperationRegistry } from '#daemon/operation/operation-registry.ts';
import { KernelRepository } from '#store/kernel-repository.ts';
import { openService, type OpenService } from './open-service.ts';

/** An archive whose kernels are texts, and that can be slow. */
class FakeKernelBuilder implements KernelBuilder {
  releases: Record<string, string> = { 'debian-bookworm': '6.1.0-1', 'debian-trixie': '6.12.0-1' };
  built: string[] = [];
  gate: Promise<void> = Promise.resolve();

  build: KernelBuilder['build'] = async (folder, { signal }, { recipe, newest }) => {
    await writeFile(`${folder}/vmlinuz`, 'a kernel');
    this.built.push(`${recipe.name}${newest ? ' newest' : ''}`);
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
    });
    await Promise.race([this.gate, aborted]);
    await writeFile(`${folder}/modules.ext4`, 'modules');
    await mkdir(`${folder}/boot-modules`);
    await writeFile(`${folder}/boot-modules/modules.list`, 'virtio.ko\n');
    await writeFile(`${folder}/boot-modules/virtio.ko`, 'virtio');
    return { release: this.releases[recipe.name] ?? '0', source: 'fake' };
  };
}

describe('the kernels of a host', () => {
  let folder: string;
  let builder: FakeKernelBuilder;
  let opened: OpenService;
  let operations: OperationRegistry;
  let vms: { id: string; name: string; kernelId: string }[];
  let images: { id: string; name: string; kernelId: string }[];
  let service: KernelService;

  before(async () => {
    folder = await mkdtemp(`${tmpdir()}/bgr-kernel-store-`);
  });
  after(() => rm(folder, { recursive: true }));
  beforeEach(async () => {
    await rm(folder, { recursive: true });
    await mkdir(folder);
    await writeFile(`${folder}/agent`, 'agent');
    builder = new FakeKernelBuilder();
    vms = [];
    images = [];
    opened = await openService(folder, { kernelBuilder: builder });
    operations = new OperationRegistry({ log: silentLogger });
    const { kernels: store } = opened.service;
    service = new KernelService({
      store,
      catalogs: opened.service.catalogs,
      operations,
      listVms: () => vms,
      listImages: () => images,
      log: silentLogger,
    });
  });
  afterEach(async () => {
    await operations.close();
    opened[Symbol.dispose]();
  });

  async function pull(name: string, force = false): Promise<Kernel> {
    const { id } = await service.pull({ name, force });
    for await (const _ of operations.events(id, {})) continue;
    const { result, error } = operations.get(id);
    assert.ok(result?.kernel, error?.message ?? 'no kernel');
    return result.kernel;
  }
  const names = async (): Promise<string[]> =>
    (await service.list()).kernels.map(({ name }) => name).toSorted();

  test('are pulled once, whoever asks', async () => {
    const pulled = await Promise.all([pull('debian-trixie'), pull('debian-trixie')]);
    assert.deepEqual(new Set(pulled.map(({ name }) => name)), new Set(['debian-6.12.0-1']));
    await pull('debian-trixie');
    assert.deepEqual(builder.built, ['debian-trixie']);
    const { available } = await service.list();
    assert.deepEqual(
      available.map((kernel) => [kernel.name, kernel.pulled]),
      [
        ['debian-bookworm', false],
        ['debian-trixie', true],
      ],
    );
    await assert.rejects(service.pull({ name: 'debian-buster' }), { code: 'KERNEL_NOT_FOUND' });
  });

  test('are pulled anew when that is forced; who has the old one keeps it', async () => {
    const old = await pull('debian-trixie');
    await service.setDefault(old.name);
    vms = [{ id: '1', name: 'demo', kernelId: old.id }];
    const anew = await pull('debian-trixie', true);
    assert.deepEqual(builder.built, ['debian-trixie', 'debian-trixie newest']);
    assert.deepEqual([anew.name, anew.isDefault], ['debian-6.12.0-1', true]);
    assert.equal((await service.get(old.id)).name, `debian-6.12.0-1-${old.id}`);
    assert.equal((await service.get('debian-trixie')).id, anew.id);
    builder.releases['debian-trixie'] = '6.12.0-2';
    assert.deepEqual((await pull('debian-trixie', true)).name, 'debian-6.12.0-2');
    assert.equal((await names()).length, 3);
  });

  test('that somebody imported keep their name when one is pulled that would have it', async () => {
    const repository = new KernelRepository(opened.database);
    const imported = { ...(await pull('debian-trixie')), id: 'aaaaaaaaaaaa' };
    await service.delete('debian-trixie');
    const { recipe: _, ...own } = imported;
    repository.insert(own);
    const pulled = await pull('debian-trixie');
    assert.equal(pulled.name, `debian-6.12.0-1-${pulled.id}`);
    assert.equal((await service.get('debian-6.12.0-1')).id, 'aaaaaaaaaaaa');
  });

  test('whose pull is cancelled leave nothing', async () => {
    builder.gate = new Promise(() => {});
    const { id } = await service.pull({ name: 'debian-trixie' });
    while (builder.built.length === 0) await new Promise(setImmediate);
    assert.equal((await operations.cancel(id)).status, 'cancelled');
    assert.deepEqual(await readdir(opened.layout.kernelsDir), []);
    assert.deepEqual(await names(), []);
  });

  test('boot new VMs: what was chosen, else what the catalog has as default', async () => {
    const trixie = await pull('debian-trixie');
    assert.equal(trixie.isDefault, false);
    assert.equal((await opened.service.ensureKernel()).record.name, 'debian-6.1.0-1');
    assert.equal((await service.setDefault('debian-trixie')).isDefault, true);
    assert.equal((await opened.service.ensureKernel()).record.name, 'debian-6.12.0-1');
    const chosen = (await service.list()).kernels.filter(({ isDefault }) => isDefault);
    assert.deepEqual(
      chosen.map(({ id }) => id),
      [trixie.id],
    );
    await service.delete('debian-trixie');
    assert.equal((await opened.service.ensureKernel()).record.name, 'debian-6.1.0-1');
  });

  test('are shown with who has them, and not removed while anybody does', async () => {
    const { id, name } = await pull('debian-bookworm');
    vms = [{ id: '1', name: 'demo', kernelId: id }];
    const shown = await service.get('debian-bookworm');
    assert.deepEqual(
      [shown.bootModules, shown.usedBy, shown.hasUncompressed],
      [['virtio.ko'], [{ id: '1', name: 'demo' }], false],
    );
    await assert.rejects(service.delete(name), {
      code: 'KERNEL_IN_USE',
      message: /VMs have it: demo/,
      details: { vms: ['demo'], images: [] },
    });
    vms = [];
    images = [{ id: '3', name: 'pinned', kernelId: id }];
    await assert.rejects(service.delete(name), {
      code: 'KERNEL_IN_USE',
      message: /images have it: pinned/,
      details: { vms: [], images: ['pinned'] },
    });
    images = [];
    const pulled = Promise.withResolvers<void>();
    const pulling = operations.begin({ kind: 'image.pull' }, async () => (await pulled.promise, {}));
    await assert.rejects(service.delete(name), { code: 'KERNEL_IN_USE', message: /one that is being made/ });
    pulled.resolve();
    for await (const _ of operations.events(pulling.id, {})) continue;
    const gate = Promise.withResolvers<void>();
    const vm = { id: '2', name: 'coming' };
    const creation = operations.begin({ kind: 'vm.create', vm }, async () => (await gate.promise, {}));
    await assert.rejects(service.delete(name), { code: 'KERNEL_IN_USE', message: /VMs have it: coming/ });
    gate.resolve();
    for await (const _ of operations.events(creation.id, {})) continue;
    assert.equal((await service.delete(name)).id, id);
    assert.deepEqual(await readdir(opened.layout.kernelsDir), []);
    await assert.rejects(service.delete(name), { code: 'KERNEL_NOT_FOUND' });
  });
});
