import assert from 'node:assert/strict';
import { accessSync, chmodSync, constants, lstatSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { SmallClone } from '../../support/small-clone.ts';

export const NOBODY = 65534;
const ROOT = resolve(import.meta.dirname, '../../..');

/** What a test needs that runs a clone as another user. */
export function otherUser(): { skip?: string } {
  if (process.getuid?.() !== 0) return { skip: 'needs root to become another user' };
  for (let folder = ROOT; folder !== '/'; folder = dirname(folder)) {
    if ((lstatSync(folder).mode & 0o005) !== 0o005)
      return { skip: `needs ${folder} to be open for everybody` };
  }
  return {};
}

/** A folder with links to all programs of the host but these. */
export function programsWithout(clone: SmallClone, names: readonly string[]): string {
  const bin = join(clone.folder, 'bin');
  mkdirSync(bin);
  chmodSync(bin, 0o755);
  for (const name of readdirSync('/usr/bin')) {
    if (!names.includes(name)) symlinkSync(join('/usr/bin', name), join(bin, name));
  }
  for (const name of names) assert.throws(() => accessSync(join('/usr/sbin', name), constants.X_OK));
  return bin;
}
