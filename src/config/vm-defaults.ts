import { DEFAULT_IMAGE, type NetworkMode } from '#contract/owner/vm.ts';
import type { ConfiguredVmDefaults } from './config.ts';

/** What a host has. */
export interface HostSize {
  cpus: number;
  memoryMiB: number;
}

/** Who decided: a configuration file, the size of this host, or nobody, so that the built-in value counts. */
export type DefaultSource = 'config' | 'host' | 'builtin';

export interface SourcedDefault<T> {
  value: T;
  source: DefaultSource;
}

/** What a VM gets where its request says nothing. */
export interface VmDefaults {
  image: SourcedDefault<string>;
  vcpus: SourcedDefault<number>;
  memoryMiB: SourcedDefault<number>;
  /** Undefined: as large as the image. */
  diskBytes: SourcedDefault<number | undefined>;
  network: SourcedDefault<NetworkMode>;
}

const VCPUS = { least: 2, most: 4, shareOfHost: 4, step: 1 };
const MEMORY_MIB = { least: 1024, most: 8192, shareOfHost: 8, step: 256 };

/** Three layers: the configuration, a share of the host, and the built-in values; never more than the host has by itself. */
export function resolveVmDefaults(config: Partial<ConfiguredVmDefaults>, host: HostSize): VmDefaults {
  return {
    image: configured(config.image) ?? builtin(DEFAULT_IMAGE),
    vcpus: configured(config.vcpus) ?? shareOf(host.cpus, VCPUS),
    memoryMiB: configured(config.memoryMiB) ?? shareOf(host.memoryMiB, MEMORY_MIB),
    diskBytes: configured(config.diskBytes) ?? builtin(undefined),
    network: configured(config.network) ?? builtin('user'),
  };
}

function configured<T>(value: T | undefined): SourcedDefault<T> | undefined {
  return value === undefined ? undefined : { value, source: 'config' };
}

function builtin<T>(value: T): SourcedDefault<T> {
  return { value, source: 'builtin' };
}

/** A share of what the host has, within bounds. A host that has less than the lower bound gives all it has. */
function shareOf(total: number, bounds: typeof VCPUS): SourcedDefault<number> {
  const share = Math.floor(total / bounds.shareOfHost / bounds.step) * bounds.step;
  if (share >= bounds.least) return { value: Math.min(share, bounds.most), source: 'host' };
  return total < bounds.least ? { value: total, source: 'host' } : builtin(bounds.least);
}
