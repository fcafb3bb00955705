import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { BangerClient, ErrorCode, OperationHandle } from '#sdk/index.ts';
import { FakeDaemonHome } from '../../support/fake-daemon.ts';
import { isRoot, NEEDS_ROOT, SmallFileSystem } from '../../support/small-file-system.ts';

const SIZE_MIB = 300;

describe('a state folder', { skip: isRoot() ? false : NEEDS_ROOT }, () => {
  let home: FakeDaemonHome;
  let small: SmallFileSystem;
  let client: BangerClient;

  before(async () => {
    home = await FakeDaemonHome.create();
    using maker = await home.start();
    await (await maker.vms.create({ name: 'maker', start: false })).result();
    await (await maker.vms.delete('maker')).result();
    await maker.stopDaemon();
    await home.daemonGone();
    small = await SmallFileSystem.under(home.layout, home.root, SIZE_MIB);
    client = await home.start();
    await (await client.vms.create({ name: 'demo' })).result();
    await (await client.vms.create({ name: 'halted', start: false })).result();
  });
  after(async () => {
    try {
      await small.empty();
      for (const { id } of await client.vms.list()) {
        await (await client.vms.delete(id, { force: true })).result();
      }
    } finally {
      client.close();
      await home.killDaemon();
      await small[Symbol.asyncDispose]();
      await home[Symbol.asyncDispose]();
    }
  });

  async function refused(code: ErrorCode, begin: () => Promise<OperationHandle<unknown>>): Promise<void> {
    await assert.rejects(async () => (await begin()).result(), { code });
  }

  const stateOf = async (name: string) => (await client.vms.get(name)).state;
  const found = async () => (await client.fsck.check()).findings;

  describe('that is full', () => {
    it('takes no new VM, and keeps those that there are', async () => {
      await small.fill();
      await refused('HOST_DISK_FULL', () => client.vms.create({ name: 'other' }));
      assert.deepEqual((await client.vms.list()).map(({ name }) => name).toSorted(), ['demo', 'halted']);
      await client.vms.ping('demo');
    });

    it('does not keep the next daemon from the VMs that run', async () => {
      const { bootId } = await client.vms.ping('demo');
      await home.killDaemon();
      client.close();
      client = await home.start();
      await client.vms.wait('demo', { for: 'agent', timeoutMs: 10_000 });
      assert.equal((await client.vms.ping('demo')).bootId, bootId);
    });

    it('starts no VM, and says why; the VM stays stopped', async () => {
      await refused('HOST_DISK_FULL', () => client.vms.start('halted'));
      assert.equal(await stateOf('halted'), 'stopped');
      assert.deepEqual(await found(), []);
    });

    it('lets a VM be stopped', async () => {
      await (await client.vms.stop('demo')).result();
      assert.equal(await stateOf('demo'), 'stopped');
    });

    it('does not keep the daemon from starting, whether it was killed or stopped', async () => {
      await home.killDaemon();
      client.close();
      client = await home.start();
      await client.stopDaemon();
      await home.daemonGone();
      client.close();
      client = await home.start();
      assert.deepEqual([await stateOf('demo'), await stateOf('halted')], ['stopped', 'stopped']);
    });

    it('can be made room in by deleting a VM', async () => {
      await (await client.vms.delete('halted')).result();
      assert.equal((await client.vms.list()).length, 1);
    });

    it('is as it was when there is room again', async () => {
      await small.empty();
      await (await client.vms.start('demo')).result();
      await client.vms.ping('demo');
      assert.deepEqual(await found(), []);
    });
  });

  describe('that became read-only', () => {
    it('lets VMs be seen and used, and refuses what would write', async () => {
      await small.breakDown();
      assert.equal(await stateOf('demo'), 'running');
      await client.vms.ping('demo');
      const code = 'STATE_FOLDER_UNUSABLE';
      await refused(code, () => client.vms.create({ name: 'other' }));
      await refused(code, () => client.vms.set('demo', { name: 'renamed' }));
      await refused(code, () => client.vms.stop('demo'));
      assert.equal(await stateOf('demo'), 'running');
    });

    it('tells a daemon that starts what is wrong', async () => {
      await home.killDaemon();
      await assert.rejects(home.start(), /EROFS/); // the CLI says what that means
    });

    it('is as it was when it can be written again', async () => {
      small.repair();
      client.close();
      client = await home.start();
      assert.equal(await stateOf('demo'), 'running');
      await client.vms.wait('demo', { for: 'agent', timeoutMs: 10_000 });
      assert.deepEqual(await found(), []);
      await (await client.vms.stop('demo')).result();
    });
  });
});
