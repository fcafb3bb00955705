import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FakeDaemonHome } from '../../support/fake-daemon.ts';
import { runBanger } from '../cli/run-banger.ts';

describe('a guest that does not boot as it should', () => {
  it('is launched again when its kernel says nothing, and only one machine is left', async () => {
    await using home = await homeWith('lifeless_after = "1s"\n');
    using client = await home.start({ fault: { kind: 'lifeless-at-first', launches: 2 } });
    const details = new Set<string | undefined>();
    const creation = await client.vms.create({ name: 'demo' });
    for await (const { detail } of creation) details.add(detail);
    const vm = await creation.result();
    assert.equal(vm.state, 'running');
    assert.ok(details.has('the guest showed no sign of life, starting it again'));
    await client.vms.ping('demo');
    assert.equal((await home.machines()).length, 2, 'machine and network process');
  });

  it('is given up after three launches, with the VM kept', async () => {
    await using home = await homeWith('lifeless_after = "1s"\nagent_timeout = "2s"\n');
    using client = await home.start({ fault: { kind: 'lifeless-at-first', launches: 9 } });
    const creation = await client.vms.create({ name: 'demo' });
    await assert.rejects(creation.result(), { code: 'GUEST_NOT_ANSWERING' });
    assert.equal((await client.vms.get('demo')).state, 'running');
    assert.equal((await client.vms.get('demo')).lastError?.code, 'GUEST_NOT_ANSWERING');
  });

  it('is not launched again when only its agent is slow: the wait is bounded, the console shown, the VM kept', async () => {
    await using home = await homeWith('lifeless_after = "1s"\nagent_timeout = "3s"\n');
    using client = await home.start({ fault: { kind: 'never-answers' } });
    const creation = await client.vms.create({ name: 'demo' });
    await assert.rejects(creation.result(), (error: { code: string; details: { consoleTail: string } }) => {
      assert.equal(error.code, 'GUEST_NOT_ANSWERING');
      assert.equal(error.details.consoleTail.match(/Linux version/g)?.length, 1);
      return true;
    });
    assert.equal((await client.vms.get('demo')).state, 'running');
  });

  it('is kept by "vm run --rm" too, and that is said', async () => {
    await using home = await homeWith('agent_timeout = "1s"\n');
    using client = await home.start({ fault: { kind: 'never-answers' } });
    const run = await runBanger(home, ['vm', 'run', '--rm', '--name', 'demo', '--', 'true']);
    assert.equal(run.status, 3);
    assert.match(run.stderr, /^"demo" stays for a look: [^]*\[GUEST_NOT_ANSWERING\][^]*Linux version/m);
    assert.equal((await client.vms.get('demo')).state, 'running');
  });

  it('that dies at start is an error with its last words, and nothing is made', async () => {
    await using home = await FakeDaemonHome.create();
    using client = await home.start({ fault: { kind: 'dies-at-start', stderr: 'no such device' } });
    const creation = await client.vms.create({ name: 'demo' });
    await assert.rejects(creation.result(), (error: { code: string; details: { stderr: string } }) => {
      assert.deepEqual([error.code, error.details.stderr], ['MACHINE_START_FAILED', 'no such device']);
      return true;
    });
    assert.deepEqual(await client.vms.list(), []);
    assert.deepEqual(await home.vmFolders(), []);
    assert.deepEqual(await home.machines(), []);
  });
});

describe('a network that ends while its machine is launched', () => {
  for (const [title, options] of Object.entries({
    'takes the machine with it': {},
    'is what is told when the machine ends for it': {
      fault: { kind: 'dies-at-start', stderr: 'nothing to connect to' } as const,
    },
  })) {
    it(title, async () => {
      await using home = await FakeDaemonHome.create();
      using client = await home.start({ networkFailure: 'no descriptors left', ...options });
      const creation = await client.vms.create({ name: 'demo' });
      await assert.rejects(creation.result(), (error: { code: string; details: { stderr: string } }) => {
        assert.deepEqual([error.code, error.details.stderr], ['NETWORK_START_FAILED', 'no descriptors left']);
        return true;
      });
      assert.deepEqual(await client.vms.list(), []);
      assert.deepEqual(await home.vmFolders(), []);
      assert.deepEqual(await home.machines(), []);
    });
  }
});

async function homeWith(config: string): Promise<FakeDaemonHome> {
  const home = await FakeDaemonHome.create();
  await home.configure(config);
  return home;
}
