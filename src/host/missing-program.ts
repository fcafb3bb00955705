/**
 * Whether a start failed because there is no such program. For a bare name EACCES says so as well: execvp(3) gives it
 * instead of ENOENT when a folder of PATH may not be searched, as root's are not by others.
 */
export function isProgramMissing(file: string, code: string | undefined): boolean {
  return code === 'ENOENT' || (code === 'EACCES' && !file.includes('/'));
}
