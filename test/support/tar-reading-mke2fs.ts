import { execFileSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { BUILD_ENVIRONMENT } from '#ext4/build-tools.ts';

/** Debian 13's mke2fs, 1.47.2: the first of a Debian that reads tars. */
const PACKAGES = 'e2fsprogs,libarchive13t64';
const SUITE = 'trixie';

/** A real mke2fs that reads tars, from Debian's archive, whatever this host has; with the C library that it was built for. */
export class TarReadingMke2fs {
  readonly #folder: string;
  readonly #libraries: string;

  private constructor({ folder, libraries }: { folder: string; libraries: string }) {
    this.#folder = folder;
    this.#libraries = libraries;
  }

  static async fetch(place: string): Promise<TarReadingMke2fs> {
    const root = `${place}/${SUITE}`;
    const options = ['--mode=root', '--variant=extract', '--quiet', '--aptopt=Acquire::Retries "3"'];
    execFileSync('mmdebstrap', [...options, `--include=${PACKAGES}`, SUITE, root], {
      stdio: 'pipe',
      timeout: 110_000,
    });
    const [loader] = globSync(`${root}/usr/lib/*-linux-gnu/ld-linux-*.so.*`);
    if (loader === undefined) throw new Error(`${SUITE} has no dynamic loader`);
    const folder = `${place}/tools`;
    await mkdir(folder);
    const libraries = dirname(loader);
    const command = `exec "${loader}" --library-path "${libraries}" "${root}/usr/sbin/mke2fs" "$@"`;
    await writeFile(`${folder}/mke2fs`, `#!/bin/sh\n${command}\n`, { mode: 0o755 });
    return new TarReadingMke2fs({ folder, libraries });
  }

  /** First in the search path of builds, until the answer is disposed. Not for what runs under fakeroot, which is of this host's C library. */
  use(): Disposable {
    const path = BUILD_ENVIRONMENT.PATH;
    BUILD_ENVIRONMENT.PATH = `${this.#folder}:${path}`;
    return { [Symbol.dispose]: () => void (BUILD_ENVIRONMENT.PATH = path) };
  }

  /** From now on it is as one that was built without the library by which it reads tars. */
  async forgetTars(): Promise<void> {
    // Not removed: this host's own would be found.
    for (const library of globSync(`${this.#libraries}/libarchive.so*`)) {
      await rm(library);
      await writeFile(library, '');
    }
  }
}
