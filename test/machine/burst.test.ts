import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createMachineHome } from '../support/artifacts.ts';
import type { TestHome } from '../support/test-home.ts';

const RUN = ['vm', 'run', '--rm', '--memory', '256M', '--vcpu', '1', '--', 'true'];

describe('many VMs at once', () => {
  let home: TestHome;

  before(async () => {
    home = await createMachineHome();
  });
  after(() => home[Symbol.asyncDispose]());

  /** A boot that hangs is begun again, so that users get their machine; here it is a failure. */
  const assertNoneHung = async () => {
    const log = await readFile(home.layout.logPath, 'utf8');
    assert.deepEqual(log.match(/^.*launching it again.*$/gm), null);
  };

  it('runs ten at once on a home without a daemon, and leaves nothing behind', async () => {
    const results = await Promise.all(Array.from({ length: 10 }, () => home.cli(RUN)));
    assert.deepEqual(
      results.map(({ status, stderr }) => (status === 0 ? 0 : stderr)),
      Array(10).fill(0),
    );
    assert.deepEqual(await readdir(home.layout.vmsDir), []);
    assert.deepEqual(await readdir(join(home.layout.runtimeDir, 'vm')), []);
    await assertNoneHung();
  });

  it('boots forty times, four at a time, without one hang', async () => {
    using client = await home.client();
    const boot = async () => {
      const vm = await (await client.vms.create({ memoryMiB: 256, vcpus: 2, network: 'none' })).result();
      await (await client.vms.delete(vm.id, { force: true })).result();
    };
    const lane = async () => {
      for (let boots = 0; boots < 10; boots += 1) await boot();
    };
    await Promise.all([lane(), lane(), lane(), lane()]);
    await assertNoneHung();
  });
});
