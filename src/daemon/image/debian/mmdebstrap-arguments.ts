import type { Recipe } from '../recipes.ts';

export interface BuildPaths {
  tarPath: string;
  hooksFolder: string;
  /** Empty. */
  keysFolder: string;
}

/**
 * No mirror is named: mmdebstrap takes the suite's own, with its security updates. It checks them with the keys that the recipe
 * names, and with no others that the host trusts.
 */
export function mmdebstrapArguments(
  recipe: Recipe,
  mode: 'root' | 'fakechroot',
  paths: BuildPaths,
): string[] {
  return [
    ...[`--mode=${mode}`, `--variant=${recipe.variant}`, '--format=tar', '--verbose'],
    `--include=${recipe.packages.join(',')}`,
    ...(recipe.keyring === undefined ? [] : [`--keyring=${recipe.keyring}`, `--keyring=${paths.keysFolder}`]),
    `--hook-directory=${paths.hooksFolder}`,
    '--aptopt=Acquire::Retries "3"',
    '--aptopt=Acquire::http::Timeout "30"',
    '--dpkgopt=force-unsafe-io', // a build that is cut off is thrown away, so nothing is gained by syncing each file
    recipe.suite,
    paths.tarPath,
  ];
}
