import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '#contract/errors.ts';
import {
  CONFIG,
  examineHome,
  examineHost,
  FILES,
  GOOD_HOST,
  hypervisorOf,
  LIMITS,
  rowOf,
  withDaemonHome,
  withStatus,
} from '../../../test/support/doctor-host.ts';
import { fixAll } from './check.ts';
import { hostChecks } from './doctor.ts';

test('on a host in order every row but the disk, which is what it is, passes', async () => {
  const rows = await examineHost();
  rows.delete('disk-space');
  assert.deepEqual([...withStatus(rows, 'warn'), ...withStatus(rows, 'fail')], []);
  assert.equal(rowOf(rows, 'hypervisor').message, 'qemu 7.2.1, kvm');
  assert.equal(rowOf(rows, 'network').message, 'user: passt 2024_06');
  assert.equal(rowOf(rows, 'mke2fs').message, '/usr/bin/mke2fs');
  assert.equal(rowOf(rows, 'kernel').message, '2 ready');
  assert.equal(
    rowOf(rows, 'vm-defaults').message,
    '2 vCPUs (host), 2048 MiB (host), disk as the image (builtin), image debian-bookworm (builtin), network user (builtin)',
  );
});

test('emulation is a warning that gives the reason and what to do about it', async () => {
  const hints = {
    'no-device': /modprobe/,
    'no-access': /usermod/,
    'no-cpu-flag': /nested/,
    forced: /config unset/,
  };
  for (const [obstacle, hint] of Object.entries(hints)) {
    const support = { usable: false, reason: 'the reason', obstacle: obstacle as keyof typeof hints };
    const row = rowOf(await examineHost({ detectKvm: async () => support }), 'kvm');
    assert.deepEqual([row.status, row.message], ['warn', 'the reason']);
    assert.match(row.hint ?? '', hint);
  }
});

test('a QEMU that is too old fails, one that emulates several CPUs badly is told, a later one passes', async () => {
  const statusOf = async (version: string, accelerator: 'kvm' | 'tcg') => {
    const probe = async () => ({ version, accelerator, reason: '' });
    return rowOf(
      await examineHost({ drivers: { ...GOOD_HOST.drivers, hypervisor: hypervisorOf(probe) } }),
      'hypervisor',
    ).status;
  };
  for (const version of ['6.2.0', '7.1.9', '2'])
    assert.equal(await statusOf(version, 'kvm'), 'fail', version);
  for (const version of ['7.2', '7.2.22 (Debian)', '8.0.5']) {
    assert.equal(await statusOf(version, 'kvm'), 'pass', version);
    assert.equal(await statusOf(version, 'tcg'), 'warn', version);
  }
  for (const version of ['8.1', '8.10.2', '10.0.1'])
    assert.equal(await statusOf(version, 'tcg'), 'pass', version);
});

test('a driver that refuses is a failing row with its own hint, and the others are still examined', async () => {
  const probe = () =>
    Promise.reject(
      new UserError('HYPERVISOR_MISSING', 'Cannot find QEMU', { hint: 'apt-get install qemu-system-x86' }),
    );
  const rows = await examineHost({ drivers: { ...GOOD_HOST.drivers, hypervisor: hypervisorOf(probe) } });
  assert.deepEqual(rowOf(rows, 'hypervisor'), {
    check: 'hypervisor',
    status: 'fail',
    message: 'Cannot find QEMU',
    hint: 'apt-get install qemu-system-x86',
  });
  assert.deepEqual(withStatus(rows, 'fail'), ['hypervisor']);
  assert.deepEqual([...rows.keys()], [...(await examineHost()).keys()]);
});

test('a check that breaks is a failing row, never an exception', async () => {
  const broken = () => Promise.reject(new Error('out of descriptors'));
  const rows = await examineHost({
    findProgram: broken,
    readText: broken,
    readConfig: broken,
    running: undefined,
  });
  assert.equal(rowOf(rows, 'config').message, 'out of descriptors');
  const failing = [
    'qemu-img',
    'mmdebstrap',
    'mke2fs',
    'fakeroot',
    'depmod',
    'open-files',
    'inotify',
    'config',
    'vm-defaults',
  ];
  assert.deepEqual(withStatus(rows, 'fail'), failing);
});

test('a missing program fails where every VM needs it, warns where only new images do, and names its package', async () => {
  const rows = await examineHost({ findProgram: async () => undefined });
  assert.deepEqual(withStatus(rows, 'fail'), ['qemu-img']);
  const packages = {
    'qemu-img': 'qemu-utils',
    mmdebstrap: 'mmdebstrap',
    mke2fs: 'e2fsprogs',
    depmod: 'kmod',
  };
  for (const [program, debianPackage] of Object.entries(packages)) {
    assert.equal(rowOf(rows, program).hint, `apt-get install ${debianPackage}`);
    assert.notEqual(rowOf(rows, program).status, 'pass');
  }
});

test('before the first run, no image and no kernel is a warning that says who makes them', async () => {
  const rows = await examineHost({ countMaterial: () => ({ images: 0, kernels: 0 }) });
  assert.deepEqual(withStatus(rows, 'warn'), ['kernel', 'image']);
  assert.match(rowOf(rows, 'image').hint ?? '', /vm run/);
});

test('few open files warn, hardly any fail, and few inotify watches warn', async () => {
  const limitsOf = (soft: string) => LIMITS.replace('20000', soft);
  const statusWith = async (path: string, text: string) => {
    const readText = async (asked: string) => (asked === path ? text : (FILES[asked] ?? ''));
    const rows = await examineHost({ readText });
    return [rowOf(rows, 'open-files').status, rowOf(rows, 'inotify').status];
  };
  assert.deepEqual(await statusWith('/proc/self/limits', limitsOf('1024')), ['warn', 'pass']);
  assert.deepEqual(await statusWith('/proc/self/limits', limitsOf('64')), ['fail', 'pass']);
  assert.deepEqual(await statusWith('/proc/self/limits', limitsOf('unlimited')), ['pass', 'pass']);
  assert.deepEqual(await statusWith('/proc/self/limits', 'nothing'), ['fail', 'pass']);
  assert.deepEqual(await statusWith('/proc/sys/fs/inotify/max_user_watches', '100'), ['pass', 'warn']);
});

test('an emulated guest that is told a wrong frequency is a failure that can be put right', async () => {
  let remembered: number | undefined = 2_600_000;
  const tsc = {
    measure: async () => 2_400_000,
    remembered: async () => remembered,
    forget: async () => {
      remembered = undefined;
    },
  };
  const options = { tsc, detectKvm: async () => ({ usable: false, reason: 'none' }) };
  await withDaemonHome(async (layout) => {
    assert.equal(rowOf(await examineHome(layout, options), 'clock').status, 'fail');
    const fixes = await fixAll(hostChecks({ ...GOOD_HOST, layout, ...options }), {});
    assert.deepEqual(
      fixes.map(({ check }) => check),
      ['clock'],
    );
    assert.equal(rowOf(await examineHome(layout, options), 'clock').message, 'guests are told 2400000 kHz');
  });
});

test('defaults that this host cannot give are found, and so is a file that changed under the daemon', async () => {
  const vmDefaults = { ...CONFIG.vmDefaults, memoryMiB: 20_000, vcpus: 3 };
  const rows = await examineHost({ running: { ...CONFIG, vmDefaults } });
  assert.equal(rowOf(rows, 'vm-defaults').status, 'fail');
  assert.match(rowOf(rows, 'vm-defaults').message, /3 vCPUs \(config\), 20000 MiB \(config\)/);
  assert.equal(rowOf(rows, 'config').status, 'warn');
  assert.match(rowOf(rows, 'config').hint ?? '', /daemon stop/);
});

test('a fix that does not work says so', async () => {
  const fix = { action: 'mended', apply: () => Promise.reject(new Error('no glue')) };
  const check = {
    name: 'vase',
    examine: () => ({ status: 'fail', message: 'broken', fixes: [fix] }) as const,
  };
  assert.deepEqual(await fixAll([check], {}), [{ check: 'vase', action: 'mended', error: 'no glue' }]);
});
