import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { FakeDaemonHome } from '../../support/fake-daemon.ts';

async function environmentOf(pid: number): Promise<Map<string, string>> {
  const entries = (await readFile(`/proc/${pid}/environ`, 'utf8'))
    .split('\0')
    .filter((entry) => entry !== '');
  return new Map(entries.map((entry) => [entry.split('=', 1)[0] ?? '', entry.slice(entry.indexOf('=') + 1)]));
}

describe('what a VM runs on', { timeout: 60_000 }, () => {
  it('knows nothing of the secrets in the environment of the daemon', async () => {
    await using home = await FakeDaemonHome.create();
    using client = await home.start({
      env: {
        AWS_SECRET_ACCESS_KEY: 'secret',
        BANGER_SECRET: 'secret',
        https_proxy: 'http://user:secret@proxy',
      },
    });
    await (await client.vms.create({ name: 'demo', vcpus: 1, memoryMiB: 256 })).result();
    const processes = await home.machines();
    assert.equal(processes.length, 2, 'machine and network process');
    for (const { pid } of processes) {
      const environment = await environmentOf(pid);
      assert.ok(![...environment.values()].some((value) => value.includes('secret')));
      assert.equal(environment.get('HOME'), home.root);
      assert.ok(environment.has('PATH'));
    }
  });
});
