import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { UserError } from '#contract/errors.ts';
import { resolveLayout } from '#contract/layout.ts';
import { doctorReportSchema, type DoctorRow } from '#contract/owner/host.ts';
import type { Hypervisor, HypervisorSupport } from '#hypervisor/hypervisor.ts';
import type { NetworkDriver } from '#network/network.ts';
import { examineHost, type DoctorOptions } from './doctor.ts';

/** A host on which everything is in order, unless a test says otherwise. */
interface Host {
  hypervisor: () => Promise<HypervisorSupport>;
  network: () => Promise<{ version: string }>;
  programs: (name: string) => Promise<string | undefined>;
  images: unknown[];
  kernels: unknown[];
  stateDir: string;
}

const GOOD: Host = {
  hypervisor: async () => ({ version: '7.2.1', accelerator: 'kvm', reason: '/dev/kvm opens' }),
  network: async () => ({ version: '2024_06' }),
  programs: async (name) => `/usr/bin/${name}`,
  images: ['one'],
  kernels: ['one', 'two'],
  stateDir: tmpdir(),
};

async function examine(differences: Partial<Host> = {}): Promise<Map<string, DoctorRow>> {
  const host = { ...GOOD, ...differences };
  const drivers = {
    hypervisor: { name: 'qemu', probe: host.hypervisor } as Partial<Hypervisor>,
    network: { name: 'user', probe: host.network } as Partial<NetworkDriver>,
  };
  const options: DoctorOptions = {
    drivers: drivers as DoctorOptions['drivers'],
    layout: { ...resolveLayout({}, 1000, '/home/ada'), stateDir: host.stateDir },
    images: { listImages: () => host.images, listKernels: () => host.kernels },
    findProgram: host.programs,
  };
  const { rows } = doctorReportSchema.parse(await examineHost(options, {}));
  const byCheck = new Map(rows.map((row) => [row.check, row]));
  assert.equal(byCheck.size, rows.length, 'each check has one row');
  return byCheck;
}

function rowOf(rows: Map<string, DoctorRow>, check: string): DoctorRow {
  return rows.get(check) ?? assert.fail(`no row "${check}" among ${[...rows.keys()].join(', ')}`);
}

const failuresOf = (rows: Map<string, DoctorRow>) =>
  [...rows.values()].filter(({ status }) => status === 'fail').map(({ check }) => check);

test('on a host in order every row but the disk, which is what it is, passes', async () => {
  const rows = await examine();
  rows.delete('disk-space');
  assert.deepEqual(new Set([...rows.values()].map(({ status }) => status)), new Set(['pass']));
  assert.match(rowOf(rows, 'hypervisor').message, /qemu 7\.2\.1, kvm: \/dev\/kvm opens/);
  assert.match(rowOf(rows, 'network').message, /2024_06/);
  assert.equal(rowOf(rows, 'mke2fs').message, '/usr/bin/mke2fs');
  assert.match(rowOf(rows, 'kernel').message, /2 ready/);
});

test('emulation is a warning that gives the reason', async () => {
  const hypervisor = async () =>
    ({ version: '7.2.1', accelerator: 'tcg', reason: 'the CPU has neither' }) as const;
  const row = rowOf(await examine({ hypervisor }), 'hypervisor');
  assert.equal(row.status, 'warn');
  assert.match(row.message, /the CPU has neither/);
  assert.ok(row.hint);
});

test('a driver that refuses is a failing row with its own hint, and the others are still examined', async () => {
  const hypervisor = () =>
    Promise.reject(
      new UserError('HYPERVISOR_MISSING', 'Cannot find QEMU', { hint: 'apt-get install qemu-system-x86' }),
    );
  const rows = await examine({ hypervisor });
  assert.deepEqual(rowOf(rows, 'hypervisor'), {
    check: 'hypervisor',
    status: 'fail',
    message: 'Cannot find QEMU',
    hint: 'apt-get install qemu-system-x86',
  });
  assert.deepEqual(failuresOf(rows), ['hypervisor']);
  assert.deepEqual([...rows.keys()], [...(await examine()).keys()]);
});

test('a check that breaks is a failing row, never an exception', async () => {
  const broken = () => Promise.reject(new Error('out of descriptors'));
  const rows = await examine({ network: broken, programs: broken });
  assert.equal(rowOf(rows, 'network').message, 'out of descriptors');
  assert.deepEqual(failuresOf(rows), ['network', 'qemu-img', 'mmdebstrap', 'mke2fs', 'fakeroot', 'depmod']);
});

test('a missing program fails where every VM needs it, warns where only new images do, and names its package', async () => {
  const rows = await examine({ programs: async () => undefined });
  assert.deepEqual(failuresOf(rows), ['qemu-img']);
  const packages = {
    'qemu-img': 'qemu-utils',
    mmdebstrap: 'mmdebstrap',
    mke2fs: 'e2fsprogs',
    fakeroot: 'fakeroot',
    depmod: 'kmod',
  };
  for (const [program, debianPackage] of Object.entries(packages)) {
    assert.equal(rowOf(rows, program).hint, `apt-get install ${debianPackage}`);
    assert.notEqual(rowOf(rows, program).status, 'pass');
  }
});

test('before the first run, no image and no kernel is a warning that says who makes them', async () => {
  const rows = await examine({ images: [], kernels: [] });
  for (const check of ['image', 'kernel']) {
    assert.equal(rowOf(rows, check).status, 'warn');
    assert.match(rowOf(rows, check).hint ?? '', /vm run/);
  }
});

test('no room is a failure, and so is a folder whose room cannot be told', async () => {
  const full = rowOf(await examine({ stateDir: '/proc' }), 'disk-space');
  assert.equal(full.status, 'fail');
  assert.match(full.message, /^0 B free/);
  assert.ok(full.hint);
  assert.equal(rowOf(await examine({ stateDir: '/nowhere/at/all' }), 'disk-space').status, 'fail');
});
