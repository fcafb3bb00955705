import { LayerFault, shownName } from './layer-fault.ts';
import { MAX_NAME_BYTES, MAX_PATH_BYTES } from './layer-limits.ts';

/**
 * The names a member's path consists of; none for the root itself. Purely lexical: what is not plainly below the root is refused.
 *
 * @throws LayerFault
 */
export function splitPath(path: string): string[] {
  if (path === '') throw new LayerFault('the tar has a member without a name');
  if (path.startsWith('/')) throw new LayerFault(`the path ${shownName(path)} is absolute`);
  if (path.length > MAX_PATH_BYTES) throw new LayerFault(`the path ${shownName(path)} is too long`);
  const names = path.split('/').filter((name) => name !== '' && name !== '.');
  for (const name of names) refuseName(name, path);
  return names;
}

function refuseName(name: string, path: string): void {
  if (name === '..') throw new LayerFault(`the path ${shownName(path)} leaves the image`);
  if (name.length > MAX_NAME_BYTES) {
    throw new LayerFault(`the path ${shownName(path)} has a name of more than ${MAX_NAME_BYTES} bytes`);
  }
  if (/[\0\n]/.test(name)) {
    throw new LayerFault(`the path ${shownName(path)} has a line break or a NUL in it`);
  }
}
