import { access, constants, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Folders of programs that an ordinary user's PATH may lack. */
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** Full path of an executable: first along `searchPath`, then in the system's own folders. */
export async function findProgram(name: string, searchPath: string): Promise<string | undefined> {
  for (const folder of [
    ...searchPath.split(':').filter((entry) => entry.startsWith('/')),
    ...SYSTEM_FOLDERS,
  ]) {
    const path = join(folder, name);
    try {
      await access(path, constants.X_OK);
      if ((await stat(path)).isFile()) return path; // a folder passes the check of access too
    } catch {
      // not here
    }
  }
  return undefined;
}
