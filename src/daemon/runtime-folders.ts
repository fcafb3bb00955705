import { lstat, mkdir } from 'node:fs/promises';
import { UserError } from '#contract/errors.ts';
import type { Layout } from '#contract/layout.ts';
import { ensurePrivateFolder } from '#host/files.ts';

/**
 * sockaddr_un holds 108 bytes, and drivers are promised at most 80 for a machine's folder,
 * which is `/vm/<12 digits>` below the runtime folder.
 */
const MAX_RUNTIME_PATH = 64;

/**
 * Makes the daemon's folders, private, and refuses those that somebody else could have put there.
 *
 * @throws UserError `STATE_FOLDER_UNUSABLE`
 */
export async function prepareFolders(layout: Layout, uid: number): Promise<void> {
  if (Buffer.byteLength(layout.runtimeDir) > MAX_RUNTIME_PATH) {
    throw unusable(
      layout.runtimeDir,
      `its path is longer than ${MAX_RUNTIME_PATH} bytes, too long for sockets`,
      {
        hint: 'set XDG_RUNTIME_DIR to a shorter path',
      },
    );
  }
  const folders = [
    layout.stateDir,
    layout.vmsDir,
    layout.imagesDir,
    layout.kernelsDir,
    layout.cacheDir,
    layout.runtimeDir,
  ];
  for (const folder of folders) {
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
    } catch (error) {
      throw unusable(folder, 'it cannot be made', { cause: error });
    }
    await refuseForeign(folder, uid);
    await ensurePrivateFolder(folder);
  }
}

async function refuseForeign(folder: string, uid: number): Promise<void> {
  const stat = await lstat(folder);
  // A link may be the owner's own choice for state and cache, but below /tmp anybody can plant one.
  if (!stat.isDirectory() && folder.startsWith('/tmp/')) throw unusable(folder, 'it is not a folder');
  if (stat.uid !== uid) throw unusable(folder, `it belongs to uid ${stat.uid}, not to uid ${uid}`);
}

function unusable(folder: string, why: string, options: { hint?: string; cause?: unknown } = {}): UserError {
  return new UserError('STATE_FOLDER_UNUSABLE', `Cannot use the folder "${folder}": ${why}`, {
    hint: 'check its owner and mode, or choose another through XDG_STATE_HOME, XDG_CACHE_HOME, XDG_RUNTIME_DIR',
    ...options,
  });
}
