import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { MachineConfig } from '../hypervisor.ts';
import { getArchitecture } from './architecture.ts';
import { qemuArguments, type QemuHost } from './command-line.ts';

const config: MachineConfig = {
  id: '0123456789ab',
  vcpus: 2,
  memoryMiB: 1024,
  kernelPath: '/state/kernels/k1/vmlinuz',
  initramfsPath: '/state/kernels/k1/initramfs',
  timerHz: 250,
  commandLine: ['banger.hostname=demo', 'banger.address=10.77.0.2/24'],
  disks: [
    { serial: 'banger-root', path: '/state/vms/a,b/root.qcow2', format: 'qcow2', readOnly: false },
    { serial: 'banger-modules', path: '/state/kernels/k1/modules.ext4', format: 'raw', readOnly: true },
  ],
  network: { socketPath: '/run/banger/vm/a,b/net.sock', mac: '52:54:00:01:23:45' },
  runtimeDir: '/run/banger/vm/a,b',
  consoleLogPath: '/state/vms/a,b/console.log',
};

const emulated: QemuHost = {
  architecture: getArchitecture('x64'),
  accelerator: 'tcg',
  tscKHz: 2_596_126,
  sandbox: true,
};

/** One option a line. */
function render(argv: readonly string[]): string {
  return `${argv.join('\n').replaceAll(/\n(?!-)/g, ' ')}\n`;
}

function golden(name: string): string {
  return readFileSync(join(import.meta.dirname, 'golden', name), 'utf8');
}

for (const [name, host] of Object.entries({
  'x86_64-tcg.txt': emulated,
  'x86_64-kvm.txt': { ...emulated, accelerator: 'kvm', tscKHz: undefined },
  'aarch64-tcg.txt': {
    ...emulated,
    architecture: getArchitecture('arm64'),
    tscKHz: undefined,
    sandbox: false,
  },
} satisfies Record<string, QemuHost>)) {
  test(`command line: ${name}`, () => {
    assert.equal(render(qemuArguments(config, host)), golden(name));
  });
}

test('a machine without network has no card', () => {
  const argv = qemuArguments({ ...config, network: undefined }, emulated);
  assert.ok(!argv.some((argument) => /netdev|virtio-net/.test(argument)));
});

test('what the guest is told comes after what the driver says, so that it wins', () => {
  const argv = qemuArguments({ ...config, commandLine: ['panic=0'] }, emulated);
  const append = argv[argv.indexOf('-append') + 1] ?? '';
  assert.ok(append.indexOf('panic=-1') < append.indexOf('panic=0'));
});

test('the format of every disk is named, never probed', () => {
  const drives = qemuArguments(config, emulated).filter((argument) => argument.startsWith('driver='));
  assert.equal(drives.length, 2 * config.disks.length);
  assert.ok(drives.every((drive) => /^driver=(file|raw|qcow2),/.test(drive)));
});
