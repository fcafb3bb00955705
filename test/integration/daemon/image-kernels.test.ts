import assert from 'node:assert/strict';
import { truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { BangerClient, Kernel } from '#sdk/index.ts';
import { FakeDaemonHome } from '../../support/fake-daemon.ts';
import { run } from '../image/ext4-entry.ts';

const SIZE = 64 * 2 ** 20;
const ENTRY = 'debian-bookworm';

describe('kernels of images', () => {
  let home: FakeDaemonHome;
  let client: BangerClient;
  let kernel: Kernel;

  before(async () => {
    home = await FakeDaemonHome.create();
    const root = file('root');
    await run('mkdir', ['-p', `${root}/etc`]);
    await run('tar', ['--create', '--file', file('rootfs.tar'), '-C', root, '.']);
    await run('touch', [file('rootfs.ext4')]);
    await truncate(file('rootfs.ext4'), SIZE);
    await run('mke2fs', ['-q', '-t', 'ext4', file('rootfs.ext4')]);
    client = await home.start();
    kernel = await (await client.kernels.pull(ENTRY)).result();
  });
  after(async () => {
    client?.close();
    await home[Symbol.asyncDispose]();
  });

  const file = (name: string) => join(home.root, name);
  const ways = {
    pull: async (name: string, wanted: string) =>
      (await client.images.pull({ reference: ENTRY, name, kernel: wanted })).result(),
    import: async (name: string, wanted: string) =>
      (
        await client.images.import({ path: file('rootfs.tar'), name, sizeBytes: SIZE, kernel: wanted })
      ).result(),
    register: (name: string, wanted: string) =>
      client.images.register({ path: file('rootfs.ext4'), name, kernel: wanted }),
  };

  for (const [way, make] of Object.entries(ways)) {
    it(`${way} takes a kernel by name, id, entry of the catalog and the beginning of its name`, async () => {
      assert.notEqual(kernel.name, ENTRY);
      const references = [kernel.name, kernel.id, ENTRY, kernel.name.slice(0, 8)];
      for (const [index, reference] of references.entries()) {
        const image = await make(`${way}-${index}`, reference);
        assert.equal(image.kernelId, kernel.id, reference);
      }
    });

    it(`${way} says which kernel is not here, and how to get it`, async () => {
      await assert.rejects(make('refused', 'debian-trixie'), {
        code: 'KERNEL_NOT_FOUND',
        hint: 'banger kernel pull debian-trixie',
      });
      await assert.rejects(client.images.get('refused'), { code: 'IMAGE_NOT_FOUND' });
    });
  }
});
