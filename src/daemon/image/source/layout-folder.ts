import { realpath, stat } from 'node:fs/promises';
import { systemErrorCode } from '#base/errors.ts';
import type { FilePlace } from './archive-files.ts';
import { invalidSource } from './invalid-source.ts';

/** An OCI layout that its owner unpacked: links in it may lead to other files of it, and not out of it. */
export class LayoutFolder implements FilePlace {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** The real path of a regular file in the folder. @throws UserError `IMAGE_SOURCE_INVALID` */
  async find(name: string): Promise<string> {
    const root = await realpath(this.path);
    try {
      const path = await realpath(`${root}/${name}`);
      if (path.startsWith(`${root}/`) && (await stat(path)).isFile()) return path;
    } catch (error) {
      if (!['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG'].includes(systemErrorCode(error) ?? '')) throw error;
      throw invalidSource(this.path, `"${name}" is not in it`, { cause: error });
    }
    throw invalidSource(this.path, `"${name}" is not a file of it`);
  }
}
