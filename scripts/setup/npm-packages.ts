import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SetupContext } from './context.ts';
import { hasProgram } from './has-program.ts';
import { runOrThrow, SetupError } from './run-quietly.ts';

interface LockedPackage {
  version?: string;
  integrity?: string;
  optional?: boolean;
}

type Lock = Record<string, LockedPackage>;

/** Makes node_modules what package-lock.json says. No package's own install script is run. */
export async function ensureNpmPackages(context: SetupContext): Promise<void> {
  if (await isInstalled(context.root)) return;
  if (context.readOnly) {
    throw new SetupError(
      `The npm packages in ${context.root} are not up to date: its owner has to run banger once`,
    );
  }
  // Debian's package of Node comes without it.
  if (!hasProgram('npm')) {
    throw new SetupError(
      'Cannot set up: npm is needed, and there is none in the PATH\nOn Debian: apt-get install npm',
    );
  }
  const npm = ['npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  await context.stages.run('npm packages', () => runOrThrow(context, 'install the npm packages', npm));
}

async function isInstalled(root: string): Promise<boolean> {
  const wanted = await readLock(join(root, 'package-lock.json'));
  if (!wanted) throw new SetupError(`Cannot set up ${root}: package-lock.json is missing or not readable`);
  // npm writes this file last, so an interrupted install has none.
  const present = await readLock(join(root, 'node_modules/.package-lock.json'));
  return present !== undefined && isSame(wanted, present);
}

/** Whether what is present is what is wanted; packages for other platforms may be absent. */
export function isSame(wanted: Lock, present: Lock): boolean {
  const names = new Set([...Object.keys(wanted), ...Object.keys(present)]);
  names.delete(''); // the project itself
  for (const name of names) {
    const want = wanted[name];
    const have = present[name];
    if (!have && want?.optional) continue;
    if (!want || !have || want.version !== have.version || want.integrity !== have.integrity) return false;
  }
  return true;
}

async function readLock(path: string): Promise<Lock | undefined> {
  try {
    return (JSON.parse(await readFile(path, 'utf8')) as { packages: Lock }).packages;
  } catch {
    return undefined;
  }
}
