import { Qcow2Disks } from '#disk/qcow2/qcow2-disks.ts';
import { detectKvm, type KvmOverride } from '#host/capabilities.ts';
import { forgetTscKHz, measureTscKHz, rememberedTscKHz } from '#host/tsc-frequency.ts';
import { QemuHypervisor } from '#hypervisor/qemu/qemu-hypervisor.ts';
import { UserNetwork } from '#network/user/user-network.ts';
import type { Config } from './config.ts';
import type { Ground } from './ground.ts';
import type { DoctorOptions } from './host/doctor.ts';
import type { Drivers } from './vm/machine-runner.ts';

type DriverGround = Pick<Ground, 'layout' | 'config' | 'installation'>;

/** How this host runs machines, as the configuration wants it. */
export function composeDrivers({ layout, config, installation }: DriverGround): Drivers {
  return {
    hypervisor: new QemuHypervisor({
      tscHelperPath: installation.tscProbePath,
      logKeeperPath: installation.logKeeperPath,
      cacheDir: layout.cacheDir,
      kvmOverride: kvmOverrideOf(config),
    }),
    disk: new Qcow2Disks(),
    network: new UserNetwork({ guardPath: installation.netGuardPath, resolvers: config.defaultDns }),
  };
}

/** What doctor asks of the host beside the drivers. */
export function composeProbes({
  layout,
  config,
  installation,
}: DriverGround): Pick<DoctorOptions, 'detectKvm' | 'tsc'> {
  return {
    detectKvm: () => detectKvm({ override: kvmOverrideOf(config) }),
    tsc: {
      measure: (options) => measureTscKHz(installation.tscProbePath, options),
      remembered: () => rememberedTscKHz(layout.cacheDir),
      forget: () => forgetTscKHz(layout.cacheDir),
    },
  };
}

function kvmOverrideOf({ accelerator }: Config): KvmOverride | undefined {
  return accelerator === 'auto' ? undefined : `force-${accelerator}`;
}
