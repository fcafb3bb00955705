import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { KernelDetails } from '#contract/owner/kernel.ts';
import { createMachineHome } from '../support/artifacts.ts';
import type { TestHome } from '../support/test-home.ts';

describe('an imported kernel', () => {
  let home: TestHome;
  let bzImage: string;
  let modules: string;

  before(async () => {
    home = await createMachineHome();
    const [id = ''] = await readdir(home.layout.kernelsDir);
    const folder = join(home.layout.kernelsDir, id);
    bzImage = join(folder, 'vmlinuz');
    modules = join(home.root, 'given');
    await mkdir(modules);
    const dump = ['-R', `rdump / ${modules}`, join(folder, 'modules.ext4')];
    execFileSync('/usr/sbin/debugfs', dump, { stdio: 'ignore' });
  });
  after(() => home[Symbol.asyncDispose]());

  it('boots new VMs once it is the default, and stays while one has it', async () => {
    await home.succeed(['kernel', 'import', 'mine', bzImage, '--modules', modules]);
    await home.succeed(['kernel', 'default', 'mine']);
    const { text } = await home.succeed([
      'vm',
      'run',
      '--name',
      'demo',
      '--memory',
      '256M',
      '--',
      'uname',
      '-r',
    ]);
    const kernel = JSON.parse(
      (await home.succeed(['kernel', 'show', '--json', 'mine'])).text,
    ) as KernelDetails;
    assert.equal(text.trim(), kernel.release);
    assert.deepEqual(
      kernel.usedBy.map(({ name }) => name),
      ['demo'],
    );
    assert.equal(kernel.hasUncompressed, true);
    assert.ok(kernel.bootModules.includes('virtio_blk.ko'), kernel.bootModules.join());
    const loaded = await home.succeed(['vm', 'exec', 'demo', '--', 'sh', '-c', 'modprobe overlay && lsmod']);
    assert.match(loaded.text, /^overlay /m);
    assert.match((await home.cli(['kernel', 'rm', 'mine'])).stderr, /KERNEL_IN_USE/);
    await home.succeed(['vm', 'delete', '-f', 'demo']);
    await home.succeed(['kernel', 'rm', 'mine']);
  });
});
