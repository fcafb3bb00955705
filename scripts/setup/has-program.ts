import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';

/** Whether a program can be found, or the file of an absolute path be read. */
export function hasProgram(program: string): boolean {
  if (program.startsWith('/')) return isAccessible(program, constants.R_OK);
  // Debian keeps some of these in folders that are not in an ordinary user's PATH.
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin'];
  return folders.some((folder) => isAccessible(join(folder, program), constants.X_OK));
}

function isAccessible(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}
