import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { detectKvm, freeSpaceBytes, hostCpus, hostMemoryBytes, type KvmProbe } from '#host/capabilities.ts';

async function newHost(t: TestContext, flags: string): Promise<Required<Omit<KvmProbe, 'override'>>> {
  const folder = await mkdtemp(join(tmpdir(), 'bgr-host-'));
  t.after(() => rm(folder, { recursive: true }));
  const host = {
    devicePath: join(folder, 'kvm'),
    cpuInfoPath: join(folder, 'cpuinfo'),
    architecture: 'x64' as const,
  };
  await writeFile(host.devicePath, '');
  await writeFile(
    host.cpuInfoPath,
    `processor\t: 0\nvendor_id\t: x\nflags\t\t: fpu ${flags} sse\nbugs\t: vmx_bug\n`,
  );
  return host;
}

for (const flag of ['vmx', 'svm']) {
  test(`KVM works with the device and ${flag}`, async (t) => {
    assert.equal((await detectKvm(await newHost(t, flag))).usable, true);
  });
}

test('a device without the extension of the CPU is not enough', async (t) => {
  const host = await newHost(t, 'vmxoff svm_lock');
  assert.deepEqual(await detectKvm(host), {
    usable: false,
    reason: `${host.devicePath} is there but the CPU shows neither vmx nor svm`,
    obstacle: 'no-cpu-flag',
  });
});

test('on arm64 the device says it all', async (t) => {
  assert.equal((await detectKvm({ ...(await newHost(t, '')), architecture: 'arm64' })).usable, true);
});

test('no device', async (t) => {
  const host = { ...(await newHost(t, 'vmx')), devicePath: '/nonexistent/kvm' };
  assert.deepEqual(await detectKvm(host), {
    usable: false,
    reason: '/nonexistent/kvm does not exist',
    obstacle: 'no-device',
  });
});

test('a device that does not open', async (t) => {
  const { usable, reason } = await detectKvm({ ...(await newHost(t, 'vmx')), devicePath: tmpdir() });
  assert.equal(usable, false);
  assert.match(reason, /cannot be opened: EISDIR$/);
});

test('what the configuration forces wins', async (t) => {
  const host = await newHost(t, '');
  assert.equal((await detectKvm({ ...host, override: 'force-kvm' })).usable, true);
  assert.equal((await detectKvm({ ...(await newHost(t, 'vmx')), override: 'force-tcg' })).usable, false);
});

test('memory, CPUs and space are those of this host', async () => {
  assert.ok(hostMemoryBytes() > 64 * 2 ** 20);
  assert.ok(hostCpus() >= 1 && hostCpus() <= cpus().length);
  assert.ok((await freeSpaceBytes(tmpdir())) > 0);
  await assert.rejects(freeSpaceBytes('/nonexistent'), { code: 'ENOENT' });
});
