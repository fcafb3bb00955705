import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import type { AvailableKernel, Kernel } from '#contract/owner/kernel.ts';
import { FakeDaemonHome } from '../../support/fake-daemon.ts';
import { TINY_RELEASE, tinyElf } from '../../support/tiny-kernel.ts';
import { runBanger } from './run-banger.ts';

const skip = process.arch === 'x64' ? false : 'the kernels of these tests are for x86_64';

describe('banger kernel', { skip }, () => {
  let home: FakeDaemonHome;
  before(async () => {
    home = await FakeDaemonHome.create();
    (await home.start()).close();
  });
  after(() => home[Symbol.asyncDispose]());

  const banger = (...args: string[]) => runBanger(home, args, { cwd: home.layout.stateDir });
  const list = async (): Promise<Kernel[]> =>
    JSON.parse((await banger('kernel', 'list', '--json')).text) as Kernel[];

  test('the catalog says what is here, before and after a pull', async () => {
    const before = JSON.parse(
      (await banger('kernel', 'list', '--available', '--json')).text,
    ) as AvailableKernel[];
    assert.deepEqual(
      before.map(({ name, pulled }) => [name, pulled]),
      [
        ['debian-bookworm', false],
        ['debian-trixie', false],
      ],
    );
    const none = await banger('kernel', 'default');
    assert.deepEqual([none.text, none.status], ['', 0]);
    assert.match(none.stderr, /none yet/);
    const pulled = await banger('kernel', 'pull', 'debian-bookworm');
    assert.deepEqual([pulled.text, pulled.status], ['debian-6.1.0-fake', 0]);
    assert.match((await banger('kernel', 'ls', '--available')).text, /debian-bookworm +pulled +about /);
    assert.equal((await banger('kernel', 'default')).text, 'debian-6.1.0-fake');
  });

  test('a kernel is imported from a file, shown, made the default, and boots new VMs', async () => {
    await writeFile(`${home.layout.stateDir}/vmlinux`, tinyElf());
    const imported = await banger('kernel', 'import', 'tiny', 'vmlinux');
    assert.deepEqual([imported.text, imported.status], ['tiny', 0]);
    const shown = (await banger('kernel', 'show', 'tiny')).text;
    assert.match(shown, new RegExp(`release +${TINY_RELEASE}`));
    assert.match(shown, /default +no\n/);
    assert.match(shown, /modules at boot +none/);
    assert.equal((await banger('kernel', 'default', 'tiny')).text, 'tiny');
    assert.equal((await banger('vm', 'create', '--no-start', '--name', 'demo')).status, 0);
    assert.match((await banger('kernel', 'show', 'tiny')).text, /used by +demo/);
  });

  test('what is in use is refused, and does not save the others', async () => {
    const alone = await banger('kernel', 'rm', 'tiny');
    assert.match(alone.stderr, /VMs have it: demo \[KERNEL_IN_USE\]/);
    assert.deepEqual([alone.text, alone.status], ['', 3]);
    const both = await banger('kernel', 'rm', 'tiny', 'debian-bookworm');
    assert.deepEqual([both.text, both.status], ['debian-6.1.0-fake', 3]);
    assert.deepEqual(
      (await list()).map(({ name, isDefault }) => [name, isDefault]),
      [['tiny', true]],
    );
    await banger('vm', 'delete', 'demo');
    assert.equal((await banger('kernel', 'rm', 'tiny')).text, 'tiny');
    assert.deepEqual(await list(), []);
  });

  test('what cannot be is said', async () => {
    const unknown = await banger('kernel', 'pull', 'debian-buster');
    assert.match(unknown.stderr, /Cannot pull "debian-buster".*\[KERNEL_NOT_FOUND\]/);
    const missing = await banger('kernel', 'import', 'mine', 'nowhere');
    assert.match(missing.stderr, /it is not there \[KERNEL_INVALID\]/);
    const badName = await banger('kernel', 'import', 'a/b', 'vmlinux');
    assert.match(badName.stderr, /\[INVALID_NAME\]/);
    const later = await banger('kernel', 'show', 'debian-trixie');
    assert.match(later.stderr, /banger kernel pull debian-trixie/);
    assert.deepEqual([unknown.status, missing.status, badName.status, later.status], [3, 3, 2, 3]);
  });
});
