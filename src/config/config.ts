import type { NetworkMode } from '#contract/owner/vm.ts';
import type { KeyName, KeyValue } from './keys.ts';
import type { Settings } from './layers.ts';

/** What the daemon is told by its configuration files. */
export interface Config {
  logLevel: KeyValue<'log_level'>;
  accelerator: KeyValue<'accelerator'>;
  agentTimeoutMs: number;
  lifelessAfterMs: number;
  /** 0: never. */
  autoStopStaleAfterMs: number;
  statsPollIntervalMs: number;
  /** 0: any free one. */
  dnsPort: number;
  /** Resolvers for guests; undefined: those of the host. */
  defaultDns: readonly string[] | undefined;
  /** Registry → URLs to try before it. */
  registryMirrors: Readonly<Record<string, readonly string[]>>;
  /** Files in PEM. */
  registryCertificates: readonly string[];
  /** Absolute paths and URLs of catalogs. */
  catalogs: readonly string[];
  vmDefaults: ConfiguredVmDefaults;
}

/** What the files say of new VMs; undefined where they say nothing. */
export interface ConfiguredVmDefaults {
  image: string | undefined;
  vcpus: number | undefined;
  memoryMiB: number | undefined;
  diskBytes: number | undefined;
  network: NetworkMode | undefined;
}

export function toConfig(settings: Settings): Config {
  return {
    logLevel: withFallback(settings, 'log_level'),
    accelerator: withFallback(settings, 'accelerator'),
    agentTimeoutMs: withFallback(settings, 'agent_timeout'),
    lifelessAfterMs: withFallback(settings, 'lifeless_after'),
    autoStopStaleAfterMs: withFallback(settings, 'auto_stop_stale_after'),
    statsPollIntervalMs: withFallback(settings, 'stats_poll_interval'),
    dnsPort: withFallback(settings, 'dns_port'),
    defaultDns: settings.value('default_dns'),
    registryMirrors: settings.value('registry_mirrors') ?? {},
    registryCertificates: settings.value('registry_certificates') ?? [],
    catalogs: settings.value('catalogs') ?? [],
    vmDefaults: {
      image: saidByFile(settings, 'default_image_name'),
      vcpus: saidByFile(settings, 'vm_defaults.vcpu'),
      memoryMiB: saidByFile(settings, 'vm_defaults.memory_mib'),
      diskBytes: saidByFile(settings, 'vm_defaults.disk_size'),
      network: saidByFile(settings, 'vm_defaults.network'),
    },
  };
}

function withFallback<K extends KeyName>(settings: Settings, key: K): KeyValue<K> {
  const value = settings.value(key);
  if (value === undefined) throw new Error(`the key ${key} has no fallback`);
  return value;
}

function saidByFile<K extends KeyName>(settings: Settings, key: K): KeyValue<K> | undefined {
  return settings.get(key).source === 'default' ? undefined : settings.value(key);
}
