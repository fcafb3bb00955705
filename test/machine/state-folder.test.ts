import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { join } from 'node:path';
import { pollUntil } from '#base/backoff.ts';
import { pathExists } from '#host/files.ts';
import type { Vm } from '#sdk/index.ts';
import { createMachineHome } from '../support/artifacts.ts';
import { isRoot, NEEDS_ROOT, SmallFileSystem } from '../support/small-file-system.ts';
import type { TestHome } from '../support/test-home.ts';

const SMALL = ['--memory', '512M', '--vcpu', '1'];
const SIZE_MIB = 600;

/** What the daemon itself does then: test/integration/daemon/state-folder.test.ts */
describe('a guest on a full file system of the host', { skip: isRoot() ? false : NEEDS_ROOT }, () => {
  let home: TestHome;
  let small: SmallFileSystem;

  before(async () => {
    home = await createMachineHome();
    small = await SmallFileSystem.under(home.layout, home.root, SIZE_MIB);
    await home.succeed(['vm', 'create', '--name', 'demo', ...SMALL]);
    await home.succeed(['vm', 'exec', 'demo', '--', 'sh', '-c', 'echo first > /root/mark; sync']);
  });
  after(async () => {
    try {
      await small.empty();
      await home.shutDown();
    } finally {
      await small[Symbol.asyncDispose]();
      await home[Symbol.asyncDispose]();
    }
  });

  const show = async () => JSON.parse((await home.succeed(['vm', 'show', '--json', 'demo'])).text) as Vm;
  const until = (holds: (vm: Vm) => boolean) =>
    pollUntil(async () => (holds(await show()) ? true : undefined), {
      signal: AbortSignal.timeout(60_000),
      firstMs: 500,
      maxMs: 500,
    });

  /** The daemon has taken room again for what it has to write when there is none. */
  const reserveKept = () => {
    const path = join(home.layout.stateDir, 'reserve');
    const isKept = async () => ((await pathExists(path)) ? true : undefined);
    return pollUntil(isKept, { signal: AbortSignal.timeout(60_000), maxMs: 500 });
  };

  it('waits, says why, and goes on when there is room: it never sees an error', async () => {
    await small.fill();
    using client = await home.client();
    const argv = ['sh', '-c', 'head -c 50000000 /dev/urandom > /root/large && sync && sha256sum /root/large'];
    const command = await client.vms.exec('demo', { argv });
    command.stderr.resume();
    command.stdout.resume();
    const ended = command.wait();
    await until(({ lastError }) => lastError?.code === 'HOST_DISK_FULL');
    await small.empty();
    assert.deepEqual(await ended, { exitCode: 0 });
    await until(({ lastError }) => lastError === undefined);
    const { text } = await home.succeed(['vm', 'exec', 'demo', '--', 'cat', '/root/mark']);
    assert.equal(text, 'first');
  });

  it('can be stopped while it waits, and has kept what was synced before', async () => {
    await reserveKept();
    await small.fill();
    using client = await home.client();
    const argv = ['sh', '-c', 'head -c 50000000 /dev/urandom > /root/other; sync'];
    const command = await client.vms.exec('demo', { argv });
    command.stderr.resume();
    command.stdout.resume();
    command.wait().catch(() => {}); // it ends with the VM
    await until(({ lastError }) => lastError?.code === 'HOST_DISK_FULL');
    const { stderr } = await home.succeed(['vm', 'stop', '--timeout', '3s', 'demo']);
    assert.match(stderr, /killed/);
    await small.empty();
    await home.succeed(['vm', 'start', 'demo']);
    const { text } = await home.succeed(['vm', 'exec', 'demo', '--', 'cat', '/root/mark']);
    assert.equal(text, 'first');
    assert.equal((await home.cli(['fsck'])).status, 0);
  });
});
