import { access, constants } from 'node:fs/promises';
import { UserError } from '#contract/errors.ts';

/**
 * Builds run with a search path of their own: Debian keeps mke2fs, depmod and chroot in folders that are not in an
 * ordinary user's PATH, and a result should not depend on what else is in it.
 */
const TOOL_FOLDERS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

export const BUILD_ENVIRONMENT = {
  PATH: TOOL_FOLDERS.join(':'),
  LC_ALL: 'C.UTF-8', // the output of apt and dpkg is parsed
  DEBIAN_FRONTEND: 'noninteractive',
};

const PACKAGE_OF_TOOL = {
  'apt-cache': 'apt',
  'apt-get': 'apt',
  debugfs: 'e2fsprogs',
  depmod: 'kmod',
  'dpkg-deb': 'dpkg',
  e2fsck: 'e2fsprogs',
  fakechroot: 'fakechroot',
  fakeroot: 'fakeroot',
  mke2fs: 'e2fsprogs',
  mmdebstrap: 'mmdebstrap',
  newuidmap: 'uidmap',
  setpriv: 'util-linux',
  tar: 'tar',
  unshare: 'util-linux',
  xz: 'xz-utils',
} as const;

export type BuildTool = keyof typeof PACKAGE_OF_TOOL;

export async function hasTool(tool: BuildTool): Promise<boolean> {
  const found = await Promise.all(TOOL_FOLDERS.map((folder) => isExecutable(`${folder}/${tool}`)));
  return found.includes(true);
}

/** @throws UserError `HOST_TOOL_MISSING` that names the Debian package */
export async function requireTools(action: string, ...tools: readonly BuildTool[]): Promise<void> {
  const present = await Promise.all(tools.map(hasTool));
  const missing = tools.filter((_, index) => !present[index]);
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((tool) => PACKAGE_OF_TOOL[tool]))];
  const programs = missing.map((tool) => `"${tool}"`).join(', ');
  throw new UserError('HOST_TOOL_MISSING', `Cannot ${action}: this host has no ${programs}`, {
    hint: `sudo apt-get install ${packages.join(' ')}`,
    details: { tools: missing, packages },
  });
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false; // whatever the reason, it cannot be run
  }
}
