import { mkdir } from 'node:fs/promises';
import { formatSize, GiB } from '#base/sizes.ts';
import type { ErrorCode } from '#contract/errors.ts';
import { requireTools } from '#ext4/build-tools.ts';
import { findContainment, runContained } from '#ext4/containment.ts';
import { explainToolFailure } from '#ext4/tool-failure.ts';
import { unusableKernel } from '../kernel/kernel-problem.ts';

/** Of the tar in it, holes included. */
export const MAX_PACKAGE_BYTES = 4 * GiB;

const COUNT = 'dpkg-deb --fsys-tarfile "$1" | head -c "$2" | wc -c';

export interface UnpackOptions {
  /** For messages: what it is, quoted. */
  what: string;
  code: Extract<ErrorCode, 'KERNEL_FETCH_FAILED' | 'KERNEL_INVALID'>;
  hint: string;
  maxBytes?: number;
  signal: AbortSignal;
}

/**
 * Unpacks a Debian package into a new folder; nothing in it is executed.
 *
 * @throws UserError of the given code, `KERNEL_INVALID` when it unpacks to more than 4 GiB or has a name twice, `HOST_TOOL_MISSING`, `HOST_DISK_FULL`
 */
export async function unpackPackage(debPath: string, folder: string, options: UnpackOptions): Promise<void> {
  const { what, code, hint, maxBytes = MAX_PACKAGE_BYTES, signal } = options;
  const action = `unpack ${what}`;
  await requireTools(action, 'dpkg-deb', 'setpriv');
  try {
    await mkdir(folder, { mode: 0o700 });
    const containment = await findContainment({ signal });
    const count = ['sh', '-c', COUNT, 'sh', debPath, String(maxBytes + 1)];
    const { stdout } = await runContained(containment, count, { signal });
    if (Number(stdout) > maxBytes)
      throw unusableKernel(what, `it unpacks to more than ${formatSize(maxBytes)}`);
    const listing = await runContained(containment, ['dpkg-deb', '--vextract', debPath, folder], { signal });
    refuseTwice(listing.stdout, what);
  } catch (error) {
    signal.throwIfAborted();
    throw explainToolFailure(error, { action, code, hint });
  }
}

/**
 * GNU tar lets a later member of a name replace an earlier one, or fails, by what other processes do meanwhile: it knows the place
 * that it keeps for a symlink by an inode number. dpkg-deb makes no such package.
 */
function refuseTwice(listing: string, what: string): void {
  const seen = new Set<string>();
  for (const line of listing.split('\n')) {
    const name = line.replace(/^\.\//, '').replace(/\/+$/, '');
    if (seen.has(name) && name !== '') throw unusableKernel(what, `it has "${name}" twice`);
    seen.add(name);
  }
}
