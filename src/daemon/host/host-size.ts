import { MiB } from '#base/sizes.ts';
import type { HostSize } from '#config/vm-defaults.ts';
import { hostCpus, hostMemoryBytes } from '#host/capabilities.ts';

/** What this host has for VMs. */
export function hostSize(): HostSize {
  return { cpus: hostCpus(), memoryMiB: Math.floor(hostMemoryBytes() / MiB) };
}
