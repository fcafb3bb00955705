import { copyFile, link, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { isTemporaryName, temporaryPathFor } from '#host/files.ts';
import { systemErrorCode } from '#base/errors.ts';

const ARCHIVES = 'var/cache/apt/archives';

/**
 * Package files that builds of one suite downloaded. They are taken while a build runs, so that one that is cut off has
 * not downloaded in vain; apt compares each with the signed lists before it is used again.
 */
export class PackageCache {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  async prepare(): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const unfinished = (await readdir(this.folder)).filter(isTemporaryName);
    await Promise.all(unfinished.map((name) => rm(`${this.folder}/${name}`, { force: true })));
  }

  /** Takes the finished downloads of a build that has its temporary folders in `folder`. */
  async collect(folder: string): Promise<void> {
    const known = new Set(await readdir(this.folder));
    for (const root of await namesIn(folder)) {
      const archives = `${folder}/${root}/${ARCHIVES}`;
      const packages = (await namesIn(archives)).filter((name) => name.endsWith('.deb') && !known.has(name));
      await Promise.all(packages.map((name) => this.#take(`${archives}/${name}`, name)));
    }
  }

  async #take(source: string, name: string): Promise<void> {
    try {
      await link(source, `${this.folder}/${name}`);
    } catch (error) {
      const code = systemErrorCode(error);
      if (code === 'ENOENT' || code === 'EEXIST') return; // the build has moved on, or it is there already
      if (code !== 'EXDEV' && code !== 'EPERM') throw error;
      await this.#copy(source, `${this.folder}/${name}`);
    }
  }

  async #copy(source: string, path: string): Promise<void> {
    const temporary = temporaryPathFor(path);
    try {
      await copyFile(source, temporary);
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      if (systemErrorCode(error) !== 'ENOENT') throw error;
    }
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(systemErrorCode(error) ?? '')) return [];
    throw error;
  }
}
