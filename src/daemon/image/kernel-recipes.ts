import { MiB } from '#base/sizes.ts';
import type { Architecture } from './architecture.ts';

/** A kernel that is taken from a distribution's signed archive. */
export interface KernelRecipe {
  name: string;
  description: string;
  distribution: 'Debian';
  suite: string;
  /** On this host, all its files. */
  approximateBytes: number;
}

/** What new VMs boot when nobody has chosen. */
export const DEFAULT_KERNEL_RECIPE = 'debian-bookworm';

export const kernelRecipes: readonly KernelRecipe[] = [
  {
    name: DEFAULT_KERNEL_RECIPE,
    description: 'Debian 12 kernel for virtual machines (6.1)',
    distribution: 'Debian',
    suite: 'bookworm',
    approximateBytes: 160 * MiB,
  },
  {
    name: 'debian-trixie',
    description: 'Debian 13 kernel for virtual machines (6.12)',
    distribution: 'Debian',
    suite: 'trixie',
    approximateBytes: 95 * MiB,
  },
];

/** The metapackage that depends on the newest kernel of the suite. */
export function kernelMetapackage({ debian }: Architecture): string {
  return `linux-image-cloud-${debian}`;
}
