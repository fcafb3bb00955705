import { rm, stat, writeFile } from 'node:fs/promises';
import type { Clock } from '#base/clock.ts';
import { ifThere } from '#base/if-there.ts';
import type { WorkSeed } from '#contract/owner/image.ts';
import { allocatedBytes } from '#ext4/sparse-file.ts';
import { listFolderIfThere, pathExists } from '#host/files.ts';
import { ArtifactFolder, isArtifactId, type ArtifactLeftover } from '../artifact-folder.ts';
import type { ReadyImage } from '../image-store.ts';
import { SharedWork, type BuildOptions, type WorkContext } from '../shared-work.ts';
import type { HomeLimits } from './home-limits.ts';
import { makeSeed } from './make-seed.ts';
import type { PublicKey } from './public-key.ts';
import {
  expectedRecord,
  readSeedRecord,
  RECORD_FILE,
  SEED_FILE,
  seedIdOf,
  type ExpectedSeed,
  type SeedRecord,
} from './seed-record.ts';
import { SeedHolds } from './seed-holds.ts';

export interface WorkSeedStoreOptions {
  folder: string;
  clock: Clock;
  isImage: (id: string) => boolean;
  limits?: Partial<HomeLimits> | undefined;
}

interface WantedSeed {
  image: ReadyImage;
  key: PublicKey | undefined;
  expected: ExpectedSeed;
}

/** A seed that stays where it is until this is disposed. */
export interface HeldSeed extends AsyncDisposable {
  /** Raw ext4, never written again. */
  path: string;
  workSeed: WorkSeed;
}

interface StoredSeed {
  id: string;
  record: SeedRecord;
}

/**
 * The work seeds of this host's images: of each image the one that was asked for last, and older ones as long as somebody
 * has them. All that is known of them is in their folders.
 */
export class WorkSeedStore {
  readonly #options: WorkSeedStoreOptions;
  readonly #folder: ArtifactFolder;
  readonly #builds = new SharedWork<StoredSeed>();
  readonly #holds = new SeedHolds();

  constructor(options: WorkSeedStoreOptions) {
    this.#options = options;
    this.#folder = new ArtifactFolder({
      path: options.folder,
      of: 'work-seed',
      files: [SEED_FILE, RECORD_FILE],
    });
  }

  /**
   * The seed of an image, made when there is none, or none of this image as it is now with this key. Callers at the same time
   * share the work.
   *
   * @throws UserError `IMAGE_SOURCE_INVALID`, `IMAGE_TOO_LARGE`, `IMAGE_BUILD_FAILED`, `HOST_TOOL_MISSING`, `HOST_DISK_FULL`; the signal's reason
   */
  async ensure(image: ReadyImage, key: PublicKey | undefined, options: BuildOptions = {}): Promise<HeldSeed> {
    const expected = await expectedRecord(image, key);
    const id = seedIdOf(expected);
    const hold = this.#holds.take(image.record.id, id);
    try {
      const seed = await this.#builds.join(id, options, (context) =>
        this.#obtain({ image, key, expected }, context),
      );
      const workSeed = await this.#describe(seed);
      await this.#dropUnused(expected.imageId);
      const dispose = async () => {
        if (hold.release()) await this.#dropUnused(expected.imageId);
      };
      return { path: `${this.#pathOf(id)}/${SEED_FILE}`, workSeed, [Symbol.asyncDispose]: dispose };
    } catch (error) {
      hold.release();
      throw error;
    }
  }

  /** The one that was asked for last. */
  async find(imageId: string): Promise<WorkSeed | undefined> {
    const seed = this.#newestOf(imageId, await this.#list());
    return seed && ifThere(this.#describe(seed));
  }

  /** What the seeds of each image take on the host. */
  async allocatedBytes(): Promise<Map<string, number>> {
    const sums = new Map<string, number>();
    for (const { id, record } of await this.#list()) {
      const bytes = (await ifThere(allocatedBytes(`${this.#pathOf(id)}/${SEED_FILE}`))) ?? 0;
      sums.set(record.imageId, (sums.get(record.imageId) ?? 0) + bytes);
    }
    return sums;
  }

  /** Of an image that is going: whoever reads a file of them still reads it. */
  async removeOf(imageId: string): Promise<void> {
    for (const { id, record } of await this.#list()) if (record.imageId === imageId) await this.#remove(id);
  }

  /** Of images that are gone, or that have a newer one. */
  async findLeftovers(): Promise<ArtifactLeftover[]> {
    const seeds = await this.#list();
    const kept = seeds.filter((seed) => this.#isWanted(seed, seeds));
    const leftovers = await this.#folder.findLeftovers(new Set(kept.map(({ id }) => id)));
    return leftovers.filter(
      ({ id, kind }) => kind === 'partial' || (kind === 'unknown' && !this.#holds.has(id)),
    );
  }

  async removeLeftover(leftover: ArtifactLeftover): Promise<void> {
    await this.#folder.remove(leftover);
  }

  async #obtain({ image, key, expected }: WantedSeed, context: WorkContext): Promise<StoredSeed> {
    const id = seedIdOf(expected);
    const found = await this.#read(id);
    if (found?.record.fingerprint === expected.fingerprint) return found;
    await this.#remove(id); // damaged, or of another format
    return this.#folder.build(
      async (artifact) => {
        const { rootDiskPath } = image;
        const path = `${artifact.folder}/${SEED_FILE}`;
        const { limits } = this.#options;
        await makeSeed({ rootDiskPath, key, path, folder: artifact.folder, limits }, context);
        const createdAt = new Date(this.#options.clock.now()).toISOString();
        const record = { ...expected, createdAt };
        await writeFile(`${artifact.folder}/${RECORD_FILE}`, JSON.stringify(record), {
          mode: 0o600,
          flush: true,
        });
        context.signal.throwIfAborted();
        await this.#folder.publish(artifact);
        return { id, record };
      },
      { id },
    );
  }

  async #dropUnused(imageId: string): Promise<void> {
    const seeds = (await this.#list()).filter(({ record }) => record.imageId === imageId);
    for (const seed of seeds) if (!this.#isWanted(seed, seeds)) await this.#remove(seed.id);
  }

  #isWanted(seed: StoredSeed, seeds: readonly StoredSeed[]): boolean {
    const { imageId } = seed.record;
    if (this.#holds.has(seed.id)) return true;
    return this.#options.isImage(imageId) && this.#newestOf(imageId, seeds)?.id === seed.id;
  }

  #newestOf(imageId: string, seeds: readonly StoredSeed[]): StoredSeed | undefined {
    const own = seeds.filter(({ record }) => record.imageId === imageId);
    const last = own.find(({ id }) => id === this.#holds.lastOf(imageId));
    return last ?? own.toSorted((one, other) => (one.record.createdAt < other.record.createdAt ? 1 : -1))[0];
  }

  async #list(): Promise<StoredSeed[]> {
    const names = await listFolderIfThere(this.#folder.path);
    const seeds = await Promise.all(names.filter(isArtifactId).map((id) => this.#read(id)));
    return seeds.filter((seed) => seed !== undefined);
  }

  async #read(id: string): Promise<StoredSeed | undefined> {
    const record = await readSeedRecord(this.#pathOf(id));
    const isComplete = record !== undefined && (await pathExists(`${this.#pathOf(id)}/${SEED_FILE}`));
    return isComplete ? { id, record } : undefined;
  }

  async #describe({ id, record }: StoredSeed): Promise<WorkSeed> {
    const path = `${this.#pathOf(id)}/${SEED_FILE}`;
    const { keyFingerprint, createdAt } = record;
    return {
      virtualBytes: (await stat(path)).size,
      allocatedBytes: await allocatedBytes(path),
      ...(keyFingerprint !== undefined && { keyFingerprint }),
      createdAt,
    };
  }

  #remove(id: string): Promise<void> {
    return rm(this.#pathOf(id), { recursive: true, force: true });
  }

  #pathOf(id: string): string {
    return `${this.#folder.path}/${id}`;
  }
}
