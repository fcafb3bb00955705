import { readFile, stat } from 'node:fs/promises';
import type { Abortable } from '#base/abort.ts';
import { isUserError } from '#contract/errors.ts';
import { digestOfFile } from '#oci/digest.ts';
import { invalidSource } from './invalid-source.ts';

/** A document is never read whole when it is larger. */
export const MAX_DOCUMENT_BYTES = 4 * 2 ** 20;

/** Where the files of an archive or a layout are. */
export interface FilePlace {
  /** Of the archive or the layout, as messages call it. */
  path: string;
  /** The path of a regular file, by a name that strangers chose. @throws UserError `IMAGE_SOURCE_INVALID` */
  find(name: string): Promise<string>;
}

/** Reads the documents and blobs of an archive or a layout. */
export class ArchiveFiles {
  readonly path: string;
  readonly #place: FilePlace;
  readonly #options: Abortable;

  constructor(place: FilePlace, options: Abortable) {
    this.path = place.path;
    this.#place = place;
    this.#options = options;
  }

  /** @throws UserError `IMAGE_SOURCE_INVALID` */
  find(name: string): Promise<string> {
    return this.#place.find(name);
  }

  /** A JSON document. @throws UserError `IMAGE_SOURCE_INVALID` */
  async read(name: string): Promise<Buffer> {
    const path = await this.find(name);
    const { size } = await stat(path);
    if (size > MAX_DOCUMENT_BYTES) throw invalidSource(this.path, `"${name}" has more than 4 MiB`);
    return readFile(path, this.#options);
  }

  /** The path of `blobs/sha256/…`, whose content has this digest. @throws UserError `IMAGE_SOURCE_INVALID` */
  async findBlob(digest: string): Promise<string> {
    const path = await this.find(`blobs/${digest.replace(':', '/')}`);
    const found = await this.digestOf(path);
    if (found !== digest) throw invalidSource(this.path, `the content of blob "${digest}" is "${found}"`);
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
      throw invalidSource(this.path, error.message.replace(/^Cannot /, 'cannot '), { cause: error });
    }
  }
}
