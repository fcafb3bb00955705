import { readFile, realpath, stat } from 'node:fs/promises';
import type { Abortable } from '#base/abort.ts';
import { systemErrorCode } from '#base/errors.ts';
import { isUserError } from '#contract/errors.ts';
import { digestOfFile } from '#oci/digest.ts';
import { invalidSource } from './invalid-source.ts';

/** A document is never read whole when it is larger. */
const MAX_DOCUMENT_BYTES = 4 * 2 ** 20;

/** The files of an unpacked archive or a layout, by names that strangers chose. */
export class ArchiveFiles {
  readonly folder: string;
  readonly #options: Abortable;

  constructor(folder: string, options: Abortable) {
    this.folder = folder;
    this.#options = options;
  }

  /** The real path of a regular file in the folder. @throws UserError `IMAGE_SOURCE_INVALID` */
  async find(name: string): Promise<string> {
    const root = await realpath(this.folder);
    try {
      const path = await realpath(`${root}/${name}`);
      if (path.startsWith(`${root}/`) && (await stat(path)).isFile()) return path;
    } catch (error) {
      if (!['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG'].includes(systemErrorCode(error) ?? '')) throw error;
      throw invalidSource(this.folder, `"${name}" is not in it`, error);
    }
    throw invalidSource(this.folder, `"${name}" is not a file of it`);
  }

  /** A JSON document. @throws UserError `IMAGE_SOURCE_INVALID` */
  async read(name: string): Promise<Buffer> {
    const path = await this.find(name);
    const { size } = await stat(path);
    if (size > MAX_DOCUMENT_BYTES) throw invalidSource(this.folder, `"${name}" has more than 4 MiB`);
    return readFile(path, this.#options);
  }

  /** The path of `blobs/sha256/…`, whose content has this digest. @throws UserError `IMAGE_SOURCE_INVALID` */
  async findBlob(digest: string): Promise<string> {
    const path = await this.find(`blobs/${digest.replace(':', '/')}`);
    const found = await this.digestOf(path);
    if (found !== digest) throw invalidSource(this.folder, `the content of blob "${digest}" is "${found}"`);
    return path;
  }

  async readBlob(digest: string): Promise<Buffer> {
    await this.findBlob(digest);
    return this.read(`blobs/${digest.replace(':', '/')}`);
  }

  digestOf(path: string): Promise<string> {
    return digestOfFile(path, this.#options);
  }

  /** Runs a parser whose complaints are about a registry's answers. */
  parse<T>(parser: () => T): T {
    try {
      return parser();
    } catch (error) {
      if (!isUserError(error, 'IMAGE_PULL_FAILED')) throw error;
      throw invalidSource(this.folder, error.message.replace(/^Cannot /, 'cannot '), error);
    }
  }
}
