import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { MiB } from '#base/sizes.ts';
import { FakeDaemonHome } from '../../support/fake-daemon.ts';

const FILE = `
default_image_name = "debian-bookworm"
dns_port = 0
[vm_defaults]
vcpu = 3
memory_mib = 192
disk_size = "64M"
network = "none"
`;

test('a new VM is as the configuration says where its request says nothing', async () => {
  await using home = await FakeDaemonHome.create();
  await mkdir(home.layout.configDir, { recursive: true });
  await writeFile(home.layout.configPath, FILE);
  using client = await home.start();
  const { spec } = await (await client.vms.create({ start: false })).result();
  assert.deepEqual(
    { vcpus: spec.vcpus, memoryMiB: spec.memoryMiB, diskBytes: spec.diskBytes, network: spec.network },
    { vcpus: 3, memoryMiB: 192, diskBytes: 64 * MiB, network: 'none' },
  );
  const own = await (await client.vms.create({ start: false, vcpus: 1, diskBytes: 32 * MiB })).result();
  assert.deepEqual([own.spec.vcpus, own.spec.diskBytes], [1, 32 * MiB]);
  const { rows } = await client.doctor();
  const row = rows.find(({ check }) => check === 'vm-defaults');
  assert.match(row?.message ?? '', /^3 vCPUs \(config\), 192 MiB \(config\), disk 64 MiB \(config\)/);
});

test('a file that cannot be used keeps the daemon from starting, and says so', async () => {
  await using home = await FakeDaemonHome.create();
  await mkdir(home.layout.configDir, { recursive: true });
  await writeFile(home.layout.configPath, 'vm_default.vcpu = 2\n');
  await assert.rejects(home.start(), /CONFIG_INVALID.*did you mean/);
  await home.daemonGone();
  await writeFile(home.layout.configPath, 'dns_port = 0\n');
});
