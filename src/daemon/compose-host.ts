import { readFile } from 'node:fs/promises';
import { systemClock } from '#base/clock.ts';
import { buildLabel } from '#contract/version.ts';
import { findProgram } from '#host/find-program.ts';
import { findDamage } from '#store/find-damage.ts';
import { composeProbes } from './compose-drivers.ts';
import { readConfig } from './config.ts';
import type { Ground, Parts } from './ground.ts';
import { pass, type Check } from './host/check.ts';
import { hostChecks } from './host/doctor.ts';
import { HostService } from './host/host-service.ts';
import { hostSize } from './host/host-size.ts';

export interface HostParts {
  vms: { list(): readonly { state: string }[] };
  /** Rows of doctor that only a running daemon can tell. */
  checks: readonly Check[];
  environment: NodeJS.ProcessEnv;
}

/** What the daemon says of itself and of the machine it runs on. */
export function composeHost(
  ground: Ground,
  { drivers, images }: Parts,
  { vms, checks, environment }: HostParts,
): HostService {
  const { layout, config, searchPath } = ground;
  const countVms = () => {
    const all = vms.list();
    return { total: all.length, running: all.filter(({ state }) => state === 'running').length };
  };
  const own: Check = { name: 'daemon', examine: () => pass(`${buildLabel()}, pid ${process.pid}`) };
  const host = hostChecks({
    ...composeProbes(ground),
    drivers,
    layout,
    uid: process.getuid?.() ?? 0,
    host: hostSize(),
    now: () => systemClock.now(),
    readConfig: () => readConfig(layout, environment),
    running: config,
    countMaterial: () => ({ images: images.listImages().length, kernels: images.listKernels().length }),
    findProgram: (name) => findProgram(name, searchPath),
    findDamage,
    withoutDaemon: async () => {
      throw new Error('this daemon runs');
    },
    readText: (path) => readFile(path, 'utf8'),
  });
  const all = [own, ...host, ...checks];
  return new HostService({
    hypervisor: drivers.hypervisor,
    layout,
    checks: all,
    clock: systemClock,
    countVms,
  });
}
