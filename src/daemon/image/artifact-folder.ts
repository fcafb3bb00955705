import { chmod, mkdir, rename, rm } from 'node:fs/promises';
import { randomHex } from '#base/ids.ts';
import { systemErrorCode } from '#base/errors.ts';
import { ensurePrivateFolder, listFolderIfThere, pathExists, syncFolder } from '#host/files.ts';
import { CommandError } from '#host/run-command.ts';
import { findContainment, runContained } from '#ext4/containment.ts';

const PARTIAL = /^\.(.+)\.partial$/;
const ID = /^[0-9a-f]{12}$/;

/** What a finished artifact is called. */
export const isArtifactId = (name: string): boolean => ID.test(name);

/** A row and its files that do not belong together any more. */
export interface ArtifactLeftover {
  of: 'image' | 'kernel' | 'work-seed';
  /** A build that was cut off; files without a row; a row without files. */
  kind: 'partial' | 'unknown' | 'missing';
  id: string;
  path: string;
}

export interface ArtifactFolderOptions {
  path: string;
  of: ArtifactLeftover['of'];
  /** Without these files an artifact is none. */
  files: readonly string[];
}

export interface NewArtifact {
  id: string;
  /** `.<id>.partial` beside the finished ones. */
  folder: string;
}

/** A folder of artifacts, each a folder named by its id that is complete from the moment it has that name. */
export class ArtifactFolder {
  readonly path: string;
  readonly #options: ArtifactFolderOptions;
  readonly #building = new Set<string>();

  constructor(options: ArtifactFolderOptions) {
    this.path = options.path;
    this.#options = options;
  }

  /** Runs `build` in a new partial folder, which is gone again when it rejects. */
  async build<T>(
    build: (artifact: NewArtifact) => Promise<T>,
    { id = randomHex(6) }: { id?: string } = {},
  ): Promise<T> {
    await ensurePrivateFolder(this.path);
    const artifact = { id, folder: `${this.path}/.${id}.partial` };
    this.#building.add(id);
    try {
      await mkdir(artifact.folder, { mode: 0o700 });
      return await build(artifact);
    } catch (error) {
      await removeTree(artifact.folder);
      throw error;
    } finally {
      this.#building.delete(id);
    }
  }

  /** Gives a complete artifact its name. */
  async publish({ id, folder }: NewArtifact): Promise<void> {
    await chmod(folder, 0o700);
    await syncFolder(folder);
    await rename(folder, `${this.path}/${id}`);
    await syncFolder(this.path);
  }

  /** What does not belong to what `known` names; nothing of what is being built. */
  async findLeftovers(known: ReadonlySet<string>): Promise<ArtifactLeftover[]> {
    const names = await listFolderIfThere(this.path);
    const leftovers = names.flatMap((name) => this.#judge(name, known));
    const complete = await Promise.all(
      [...known].map(async (id) => ((await this.#isComplete(id)) ? [] : [id])),
    );
    return [...leftovers, ...complete.flat().map((id) => this.#leftover('missing', id, id))];
  }

  /** Removes the folder of a leftover. Idempotent. */
  async remove({ path }: ArtifactLeftover): Promise<void> {
    await removeTree(path);
  }

  #judge(name: string, known: ReadonlySet<string>): ArtifactLeftover[] {
    const id = PARTIAL.exec(name)?.[1];
    if (id !== undefined) return this.#building.has(id) ? [] : [this.#leftover('partial', id, name)];
    if (!isArtifactId(name) || known.has(name) || this.#building.has(name)) return [];
    return [this.#leftover('unknown', name, name)];
  }

  #leftover(kind: ArtifactLeftover['kind'], id: string, name: string): ArtifactLeftover {
    return { of: this.#options.of, kind, id, path: `${this.path}/${name}` };
  }

  async #isComplete(id: string): Promise<boolean> {
    const paths = this.#options.files.map((file) => `${this.path}/${id}/${file}`);
    return (await Promise.all(paths.map(pathExists))).every(Boolean);
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
