import { once } from 'node:events';
import { chmodSync } from 'node:fs';
import { chmod, lstat, mkdir } from 'node:fs/promises';
import type { Server } from 'node:net';
import { dirname } from 'node:path';
import { messageOf, systemErrorCode } from '#base/errors.ts';
import { UserError } from '#contract/errors.ts';

/** sockaddr_un(7): 108 bytes with the NUL. */
const MAX_SOCKET_PATH_BYTES = 107;

/**
 * Listens on a Unix socket that nobody but its owner could ever connect to: 0600 in a folder 0700.
 *
 * @throws UserError `STATE_FOLDER_UNUSABLE`
 */
export async function listenPrivately(server: Server, path: string): Promise<void> {
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH_BYTES) {
    throw unusable(
      path,
      `its path is longer than ${MAX_SOCKET_PATH_BYTES} bytes`,
      'set XDG_RUNTIME_DIR to a shorter path',
    );
  }
  await securePrivateFolder(dirname(path));
  const listening = once(server, 'listening');
  // Node binds before listen() returns, so nothing else of this process runs under this mask, and the socket is never wider than 0700.
  const umask = process.umask(0o077);
  server.listen({ path });
  process.umask(umask);
  if (server.listening) chmodSync(path, 0o600);
  try {
    await listening;
  } catch (error) {
    throw unusable(path, messageOf(error));
  }
}

/** Makes the folder or tightens its mode. Refuses what somebody else owns, and links, which somebody else could have planted in /tmp. */
export async function securePrivateFolder(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') throw unusable(path, messageOf(error));
  }
  const stat = await lstat(path);
  if (!stat.isDirectory())
    throw unusable(path, stat.isSymbolicLink() ? 'it is a symbolic link' : 'it is not a folder');
  if (stat.uid !== process.getuid?.()) throw unusable(path, `it belongs to uid ${stat.uid}`);
  if ((stat.mode & 0o777) !== 0o700) await chmod(path, 0o700);
}

function unusable(
  path: string,
  why: string,
  hint = 'check its owner and mode, or set XDG_RUNTIME_DIR',
): UserError {
  return new UserError('STATE_FOLDER_UNUSABLE', `Cannot listen at "${path}": ${why}`, {
    hint,
    details: { path },
  });
}
