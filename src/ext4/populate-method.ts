import { mkdtemp, rm } from 'node:fs/promises';
import { runCommand, CommandError } from '#host/run-command.ts';
import type { Abortable } from '#base/abort.ts';
import { BUILD_ENVIRONMENT } from './build-tools.ts';

/**
 * How the content of a tar gets into a file system with its owners, modes and device nodes.
 *
 * - `tar`: mke2fs reads the tar itself (e2fsprogs 1.47.1 and later, with libarchive)
 * - `root`: extracted by root, then `mke2fs -d folder`
 * - `fakeroot`: the same under fakeroot, which remembers what an ordinary user cannot set
 */
export type PopulateMethod = 'tar' | 'root' | 'fakeroot';

export interface HostAbilities {
  mke2fsVersion: string;
  /** May this user chown to anybody and make device nodes? */
  ownsEverything: boolean;
}

export function choosePopulateMethod(abilities: HostAbilities): PopulateMethod {
  if (readsTar(abilities.mke2fsVersion)) return 'tar';
  return abilities.ownsEverything ? 'root' : 'fakeroot';
}

export async function probeAbilities(workFolder: string, options: Abortable = {}): Promise<HostAbilities> {
  const { stderr } = await runCommand('mke2fs', ['-V'], { ...options, env: BUILD_ENVIRONMENT });
  const mke2fsVersion = /mke2fs (\d+(?:\.\d+)*)/.exec(stderr)?.[1] ?? '0';
  return { mke2fsVersion, ownsEverything: await canMakeDeviceNodes(workFolder, options) };
}

/** The `tar` method was chosen by version, but this build of mke2fs lacks libarchive. */
export function lacksLibarchive(error: unknown): boolean {
  return error instanceof CommandError && /libarchive/i.test(`${error.stdout}\n${error.stderr}`);
}

function readsTar(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  return major > 1 || (major === 1 && (minor > 47 || (minor === 47 && patch >= 1)));
}

async function canMakeDeviceNodes(workFolder: string, options: Abortable): Promise<boolean> {
  if (process.getuid?.() !== 0) return false;
  const folder = await mkdtemp(`${workFolder}/probe-`);
  try {
    await runCommand('mknod', [`${folder}/null`, 'c', '1', '3'], { ...options, env: BUILD_ENVIRONMENT });
    return true;
  } catch (error) {
    if (error instanceof CommandError) return false; // root in a container without CAP_MKNOD
    throw error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
