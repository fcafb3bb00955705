import { mkdir } from 'node:fs/promises';
import { UserError } from '#contract/errors.ts';
import { pathExists, readFileIfThere, writeFileAtomic } from '#host/files.ts';
import type { KernelRecipe } from '../kernel/kernel-recipes.ts';

const ARCHIVE = 'http://deb.debian.org';

/** Is this host of the recipe's suite, so that its own sources, mirrors included, have the kernel? */
export async function hostHasSuite(
  recipe: KernelRecipe,
  osReleasePath = '/etc/os-release',
): Promise<boolean> {
  const lines = new Set(((await readFileIfThere(osReleasePath)) ?? '').replaceAll('"', '').split('\n'));
  return lines.has('ID=debian') && lines.has(`VERSION_CODENAME=${recipe.suite}`);
}

/**
 * Writes a file of package sources for one suite with its updates; returns its path.
 *
 * @throws UserError `HOST_TOOL_MISSING` when the host does not have the archive's keys
 */
export async function writeSources(recipe: KernelRecipe, folder: string): Promise<string> {
  const { keyring } = recipe;
  if (!(await pathExists(keyring))) {
    throw new UserError(
      'HOST_TOOL_MISSING',
      `Cannot check what ${recipe.distribution} has signed: this host has no "${keyring}"`,
      {
        hint: 'sudo apt-get install debian-archive-keyring',
      },
    );
  }
  const path = `${folder}/${recipe.suite}.sources`; // apt reads the format from the ending
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFileAtomic(path, sourcesOf(recipe.suite, keyring), 0o600);
  return path;
}

function sourcesOf(suite: string, keyring: string): string {
  const places: readonly [string, string][] = [
    [`${ARCHIVE}/debian`, `${suite} ${suite}-updates`],
    [`${ARCHIVE}/debian-security`, `${suite}-security`],
  ];
  return places
    .map(([uri, suites]) =>
      [
        'Types: deb',
        `URIs: ${uri}`,
        `Suites: ${suites}`,
        'Components: main',
        'Targets: Packages',
        `Signed-By: ${keyring}`,
        '',
      ].join('\n'),
    )
    .join('\n');
}
