import { isDeepStrictEqual } from 'node:util';
import { formatSize } from '#base/sizes.ts';
import type { Config } from '#config/config.ts';
import { resolveVmDefaults, type HostSize, type SourcedDefault } from '#config/vm-defaults.ts';
import { fail, pass, unlessRefused, warn, type Check, type Verdict } from './check.ts';

export interface ConfigCheckOptions {
  /** As the files are now. */
  readConfig: () => Promise<Config>;
  /** What the daemon runs with; undefined without a daemon. */
  running: Config | undefined;
  host: HostSize;
}

/** What the configuration says, and what it means for new VMs. */
export function configChecks({ readConfig, running, host }: ConfigCheckOptions): Check[] {
  return [
    {
      name: 'config',
      examine: async () => {
        const config = await readConfig();
        if (running === undefined || isDeepStrictEqual(config, running))
          return pass('every key has a value that works');
        return warn(
          'it was changed after the daemon started',
          'banger daemon stop; the next command starts it with the new one',
        );
      },
    },
    {
      name: 'vm-defaults',
      examine: () =>
        unlessRefused(
          async () => judgeDefaults((running ?? (await readConfig())).vmDefaults, host),
          'config',
        ),
    },
  ];
}

function judgeDefaults(configured: Config['vmDefaults'], host: HostSize): Verdict {
  const defaults = resolveVmDefaults(configured, host);
  const { image, vcpus, memoryMiB, diskBytes, network } = defaults;
  const disk = diskBytes.value === undefined ? 'disk as the image' : `disk ${formatSize(diskBytes.value)}`;
  const message = [
    withSource(`${vcpus.value} vCPUs`, vcpus),
    withSource(`${memoryMiB.value} MiB`, memoryMiB),
    withSource(disk, diskBytes),
    withSource(`image ${image.value}`, image),
    withSource(`network ${network.value}`, network),
  ].join(', ');
  if (memoryMiB.value > host.memoryMiB) {
    return fail(
      `${message}; this host has ${host.memoryMiB} MiB`,
      'banger config unset vm_defaults.memory_mib, or set less',
    );
  }
  if (vcpus.value > host.cpus)
    return warn(
      `${message}; this host has ${host.cpus} CPUs`,
      'banger config unset vm_defaults.vcpu, or set less',
    );
  return pass(message);
}

function withSource(text: string, { source }: SourcedDefault<unknown>): string {
  return `${text} (${source})`;
}
