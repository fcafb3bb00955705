import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Settings } from '#config/layers.ts';
import { toConfig } from '#config/config.ts';
import { resolveLayout } from '#contract/layout.ts';
import type { Examination } from '#contract/owner/host.ts';
import { findProgram } from '#host/find-program.ts';
import { openDatabase } from '#store/database.ts';
import { findDamage } from '#store/find-damage.ts';
import { ImageRepository } from '#store/image-repository.ts';
import { InstanceLock } from '#store/instance-lock.ts';
import { KernelRepository } from '#store/kernel-repository.ts';
import { composeDrivers, composeProbes } from './compose-drivers.ts';
import { readConfig, type Config } from './config.ts';
import { examineAll, fixAll } from './host/check.ts';
import { hostChecks, type DoctorOptions } from './host/doctor.ts';
import { hostSize } from './host/host-size.ts';
import { findInstallation } from './installation.ts';

export interface ExamineOptions {
  environment: NodeJS.ProcessEnv;
  home: string;
  /** `import.meta.url` of the program. */
  entryUrl: string;
  /** Puts right what is safe to put right, before it looks. */
  fix: boolean;
}

/** What `doctor` says when there is no daemon to ask. Makes nothing, opens the store for reading only, serves nobody. */
export async function examine(options: ExamineOptions): Promise<Examination> {
  const checks = hostChecks(await composeChecks(options));
  const fixes = options.fix ? await fixAll(checks, {}) : [];
  return { ...(await examineAll(checks, {})), fixes };
}

async function composeChecks({ environment, home, entryUrl }: ExamineOptions): Promise<DoctorOptions> {
  const uid = process.getuid?.() ?? 0;
  const layout = resolveLayout(environment, uid, home);
  const read = () => readConfig(layout, environment);
  const ground = { layout, config: await orDefaults(read), installation: findInstallation(entryUrl) };
  return {
    ...composeProbes(ground),
    drivers: composeDrivers(ground),
    layout,
    uid,
    host: hostSize(),
    now: Date.now,
    readConfig: read,
    running: undefined,
    countMaterial: () => countMaterial(layout.databasePath),
    findProgram: (name) => findProgram(name, environment['PATH'] ?? ''),
    findDamage,
    withoutDaemon: async (body) => {
      // Both, as a daemon takes them: one may run with this state folder and another socket.
      using _state = InstanceLock.acquire(`${layout.stateDir}/bangerd.lock`);
      using _runtime = InstanceLock.acquire(`${layout.runtimeDir}/bangerd.lock`);
      await body();
    },
    readText: (path) => readFile(path, 'utf8'),
  };
}

/** What is wrong with the files is a row of its own. */
async function orDefaults(read: () => Promise<Config>): Promise<Config> {
  try {
    return await read();
  } catch {
    return toConfig(Settings.defaults());
  }
}

function countMaterial(path: string): { images: number; kernels: number } {
  if (!existsSync(path)) return { images: 0, kernels: 0 };
  const database = openDatabase(path, { readOnly: true });
  try {
    const images = new ImageRepository(database).count();
    return { images, kernels: new KernelRepository(database).list().length };
  } finally {
    database.close();
  }
}
