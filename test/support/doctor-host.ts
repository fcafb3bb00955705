import assert from 'node:assert/strict';
import { mkdir, mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toConfig } from '#config/config.ts';
import { Settings } from '#config/layers.ts';
import { resolveLayout, type Layout } from '#contract/layout.ts';
import { doctorReportSchema, type DoctorFix, type DoctorRow } from '#contract/owner/host.ts';
import { examineAll, fixAll } from '#daemon/host/check.ts';
import { hostChecks, type DoctorOptions } from '#daemon/host/doctor.ts';
import type { Hypervisor } from '#hypervisor/hypervisor.ts';
import type { NetworkDriver } from '#network/network.ts';

export const CONFIG = toConfig(Settings.defaults());
export const UID = process.getuid?.() ?? 0;

/** Of /proc, as on a machine with plenty. */
export const LIMITS =
  'Limit   Soft Limit  Hard Limit  Units\nMax open files            20000                20000                files\n';
export const FILES: Record<string, string> = {
  '/proc/self/limits': LIMITS,
  '/proc/sys/fs/inotify/max_user_instances': '128\n',
  '/proc/sys/fs/inotify/max_user_watches': '65536\n',
};

export const hypervisorOf = (probe: Hypervisor['probe']) => ({ name: 'qemu', probe }) as Hypervisor;
const networkOf = (probe: NetworkDriver['probe']) => ({ name: 'user', probe }) as NetworkDriver;

/** A host on which everything is in order, unless a test says otherwise. */
export const GOOD_HOST: Omit<DoctorOptions, 'layout'> = {
  drivers: {
    hypervisor: hypervisorOf(async () => ({
      version: '7.2.1',
      accelerator: 'kvm',
      reason: '/dev/kvm opens',
    })),
    network: networkOf(async () => ({ version: 'passt 2024_06' })),
  },
  uid: UID,
  host: { cpus: 8, memoryMiB: 16_384 },
  detectKvm: async () => ({ usable: true, reason: '/dev/kvm opens' }),
  tsc: { measure: async () => 2_400_000, remembered: async () => 2_400_001, forget: async () => {} },
  now: () => Date.UTC(2050, 0),
  readConfig: async () => CONFIG,
  running: CONFIG,
  countMaterial: () => ({ images: 1, kernels: 2 }),
  findProgram: async (name) => `/usr/bin/${name}`,
  findDamage: () => undefined,
  withoutDaemon: (body) => body(),
  readText: async (path) => FILES[path] ?? assert.fail(path),
};

/** A home in which the daemon has made its folders. */
export async function withDaemonHome(body: (layout: Layout) => Promise<void>): Promise<void> {
  await using home = await mkdtempDisposable(join(tmpdir(), 'bgr-doctor-'));
  const layout = resolveLayout({ XDG_RUNTIME_DIR: join(home.path, 'run') }, UID, home.path);
  for (const folder of [
    layout.vmsDir,
    layout.imagesDir,
    layout.kernelsDir,
    layout.cacheDir,
    layout.runtimeDir,
  ])
    await mkdir(folder, { recursive: true, mode: 0o700 });
  await body(layout);
}

export type Rows = Map<string, DoctorRow>;

export async function examineHome(layout: Layout, differences: Partial<DoctorOptions> = {}): Promise<Rows> {
  const checks = hostChecks({ ...GOOD_HOST, layout, ...differences });
  const { rows } = doctorReportSchema.parse(await examineAll(checks, {}));
  const byCheck = new Map(rows.map((row) => [row.check, row]));
  assert.equal(byCheck.size, rows.length, 'each check has one row');
  return byCheck;
}

export async function examineHost(differences: Partial<DoctorOptions> = {}): Promise<Rows> {
  let rows: Rows = new Map();
  await withDaemonHome(async (layout) => {
    rows = await examineHome(layout, differences);
  });
  return rows;
}

export function rowOf(rows: Rows, check: string): DoctorRow {
  return rows.get(check) ?? assert.fail(`no row "${check}" among ${[...rows.keys()].join(', ')}`);
}

export const withStatus = (rows: Rows, status: DoctorRow['status']) =>
  [...rows.values()].filter((row) => row.status === status).map(({ check }) => check);

export const fixHome = (layout: Layout): Promise<DoctorFix[]> =>
  fixAll(hostChecks({ ...GOOD_HOST, layout }), {});
