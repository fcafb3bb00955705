import type { Architecture } from '../architecture.ts';

/** A kernel that is taken from a distribution's signed archive. */
export interface KernelRecipe {
  name: string;
  description: string;
  distribution: 'Debian';
  suite: string;
  /** The keys whose signatures count, and no others. */
  keyring: string;
  /** On this host, all its files. */
  approximateBytes: number;
}

/** What new VMs boot when nobody has chosen. */
export const DEFAULT_KERNEL_RECIPE = 'debian-bookworm';

/** The metapackage that depends on the newest kernel of the suite. */
export function kernelMetapackage({ debian }: Architecture): string {
  return `linux-image-cloud-${debian}`;
}
