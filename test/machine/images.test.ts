import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createMachineHome } from '../support/artifacts.ts';
import { runProcess } from '../support/run-process.ts';
import type { TestHome } from '../support/test-home.ts';

const SMALL = ['--memory', '256M', '--vcpu', '1'];
const BUSYBOX_ONLY =
  'set -eu; cd "$1"; mkdir -p root/bin; cp "$(command -v busybox)" root/bin/; tar --create --file tiny.tar -C root .';

describe('an image of one program, without init, shell, /etc or sshd', () => {
  let home: TestHome;

  before(async () => {
    home = await createMachineHome();
    await runProcess('sh', ['-c', BUSYBOX_ONLY, 'sh', home.root]);
    await home.succeed(['image', 'import', join(home.root, 'tiny.tar'), '--name', 'tiny', '--size', '64M']);
  });
  after(() => home[Symbol.asyncDispose]());

  it('runs a command', async () => {
    const { text } = await home.succeed([
      ...['vm', 'run', '--rm', '--image', 'tiny', ...SMALL],
      ...['--', '/bin/busybox', 'uname', '-s'],
    ]);
    assert.equal(text, 'Linux');
  });

  it('boots after it went through a bundle', async () => {
    const path = join(home.root, 'tiny.tar.zst');
    await home.succeed(['image', 'make-bundle', 'tiny', '--name', 'unpacked', '--output', path]);
    await home.succeed(['image', 'import', path]);
    const { text } = await home.succeed([
      ...['vm', 'run', '--rm', '--image', 'unpacked', ...SMALL],
      ...['--', '/bin/busybox', 'ls', '/bin'],
    ]);
    assert.equal(text, 'busybox');
  });

  it('what a VM wrote is in the image that is made of its disk', async () => {
    await home.succeed(['vm', 'create', '--image', 'tiny', '--name', 'maker', ...SMALL]);
    await home.succeed(['vm', 'exec', 'maker', '--', '/bin/busybox', 'mkdir', '/made-here']);
    await home.succeed(['vm', 'stop', 'maker']);
    await home.succeed(['image', 'commit', 'maker', 'made']);
    const { text } = await home.succeed([
      ...['vm', 'run', '--rm', '--image', 'made', ...SMALL],
      ...['--', '/bin/busybox', 'ls', '/'],
    ]);
    assert.match(text, /^made-here$/m);
  });
});
