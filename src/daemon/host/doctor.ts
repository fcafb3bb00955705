import type { Abortable } from '#base/abort.ts';
import type { HostSize } from '#config/vm-defaults.ts';
import type { Layout } from '#contract/layout.ts';
import { BUILD } from '#contract/version.ts';
import type { Config } from '../config.ts';
import type { Drivers } from '../vm/machine-runner.ts';
import type { Check } from './check.ts';
import { clockCheck } from './clock-check.ts';
import { configChecks } from './config-checks.ts';
import { folderChecks } from './folder-checks.ts';
import { leftoverChecks } from './leftover-checks.ts';
import { limitChecks } from './limit-checks.ts';
import { machineChecks, materialChecks, programChecks, type MachineCheckOptions } from './machine-checks.ts';
import { storeChecks } from './store-checks.ts';

export interface DoctorOptions {
  drivers: Pick<Drivers, 'hypervisor' | 'network'>;
  layout: Layout;
  uid: number;
  host: HostSize;
  detectKvm: MachineCheckOptions['detectKvm'];
  /** The time stamp counter, whose frequency emulated machines are told. */
  tsc: {
    measure: (options: Abortable) => Promise<number | undefined>;
    remembered: () => Promise<number | undefined>;
    forget: () => Promise<void>;
  };
  now: () => number;
  /** As the files are now. @throws UserError `CONFIG_INVALID` */
  readConfig: () => Promise<Config>;
  /** What the daemon runs with; undefined without a daemon. */
  running: Config | undefined;
  /** Images and kernels that are ready. */
  countMaterial: () => { images: number; kernels: number };
  /** Full path of a program that the daemon runs. */
  findProgram: (name: string) => Promise<string | undefined>;
  /** @throws UserError `STORE_UNREADABLE`, `STORE_TOO_NEW` */
  findDamage: (path: string) => string | undefined;
  withoutDaemon: (body: () => Promise<void>) => Promise<void>;
  readText: (path: string) => Promise<string>;
}

/** Everything a VM needs of this host, in the order in which it is shown. */
export function hostChecks(options: DoctorOptions): Check[] {
  const { drivers, layout, uid, host, detectKvm, tsc, readConfig, running, withoutDaemon } = options;
  const { hypervisor, network } = drivers;
  return [
    ...machineChecks({ hypervisor, network, detectKvm }),
    clockCheck({
      now: options.now,
      builtAt: BUILD.builtAt,
      isEmulated: async () => !(await detectKvm()).usable,
      measureTsc: tsc.measure,
      rememberedTsc: tsc.remembered,
      forgetTsc: tsc.forget,
    }),
    ...programChecks(options.findProgram),
    ...limitChecks(options.readText),
    ...configChecks({ readConfig, running, host }),
    ...folderChecks(layout, uid),
    ...leftoverChecks({ layout, uid, withoutDaemon }),
    ...storeChecks({ layout, findDamage: options.findDamage }),
    ...materialChecks(options.countMaterial),
  ];
}
