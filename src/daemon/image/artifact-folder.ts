import { chmod, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { randomHex } from '#base/ids.ts';
import { systemErrorCode } from '#base/errors.ts';
import { ensurePrivateFolder, syncFolder } from '#host/files.ts';
import { CommandError } from '#host/run-command.ts';
import { findContainment, runContained } from '#ext4/containment.ts';

const PARTIAL = /^\..+\.partial$/;

export interface NewArtifact {
  id: string;
  /** `.<id>.partial` beside the finished ones. */
  folder: string;
}

/** A folder of artifacts, each a folder named by its id that is complete from the moment it has that name. */
export class ArtifactFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Runs `build` in a new partial folder, which is gone again when it rejects. */
  async build<T>(build: (artifact: NewArtifact) => Promise<T>): Promise<T> {
    await ensurePrivateFolder(this.path);
    const id = randomHex(6);
    const artifact = { id, folder: `${this.path}/.${id}.partial` };
    await mkdir(artifact.folder, { mode: 0o700 });
    try {
      return await build(artifact);
    } catch (error) {
      await removeTree(artifact.folder);
      throw error;
    }
  }

  /** Gives a complete artifact its name. */
  async publish({ id, folder }: NewArtifact): Promise<void> {
    await chmod(folder, 0o700);
    await syncFolder(folder);
    await rename(folder, `${this.path}/${id}`);
    await syncFolder(this.path);
  }

  /** Removes builds that were cut off and artifacts that `isKnown` denies; returns the ids that are there. */
  async removeUnknown(isKnown: (id: string) => boolean): Promise<Set<string>> {
    const names = await this.#names();
    const unknown = names.filter(
      (name) => PARTIAL.test(name) || (/^[0-9a-f]{12}$/.test(name) && !isKnown(name)),
    );
    await Promise.all(unknown.map((name) => removeTree(`${this.path}/${name}`)));
    return new Set(names.filter((name) => !unknown.includes(name)));
  }

  async #names(): Promise<string[]> {
    try {
      return await readdir(this.path);
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return [];
      throw error;
    }
  }
}

/** Removes a build's folder, also what in it belongs to the caller's subordinate ids. */
async function removeTree(path: string): Promise<void> {
  try {
    // A build that was killed a moment ago may still have been writing.
    await rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  } catch (error) {
    if (!['EACCES', 'EPERM'].includes(systemErrorCode(error) ?? '')) throw error;
    await removeAsOwner(path, error);
  }
}

async function removeAsOwner(path: string, refusal: unknown): Promise<void> {
  const containment = await findContainment();
  if (containment === 'none') throw refusal;
  try {
    await runContained(containment, ['rm', '-rf', '--one-file-system', '--', path]);
  } catch (error) {
    throw error instanceof CommandError ? new AggregateError([refusal, error], error.message) : error;
  }
}
