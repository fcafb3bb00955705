import type { Recipe } from '#daemon/image/recipes.ts';
import { MiB } from '#base/sizes.ts';

/** Few packages, unpacked but not configured: the whole way of a build in a few seconds. */
export const tinyRecipe: Recipe = {
  name: 'tiny',
  description: 'busybox and sudo, for tests',
  suite: 'bookworm',
  variant: 'extract',
  packages: ['busybox-static', 'base-files', 'sudo'],
  sizeBytes: 256 * MiB,
};
