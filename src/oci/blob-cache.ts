import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { raceAbort, type Abortable } from '#base/abort.ts';
import {
  ensurePrivateFolder,
  isTemporaryName,
  listFolderIfThere,
  pathExists,
  sizeIfThere,
  syncFolder,
} from '#host/files.ts';
import type { Descriptor } from './descriptor.ts';
import { digestOfFile, hexOf } from './digest.ts';

export interface PruneOptions {
  /** Count only. */
  dryRun: boolean;
}

export interface PrunedBlobs {
  /** With what was learnt of them. */
  freedBytes: number;
  count: number;
}

/**
 * Blobs by digest, shared by all images: `blobs/sha256/<hex>` holds what matched its digest, `partial/<hex>` what is still to
 * come, `headers/` what was learnt of layers. The folder belongs to one process; within it one download of a blob runs at a time.
 */
export class BlobCache {
  readonly #blobs: string;
  readonly #partials: string;
  readonly #headers: string;
  readonly #writing = new Map<string, Promise<unknown>>();
  readonly #holds = new Map<string, number>();

  /** @param folder made when it is missing */
  constructor(folder: string) {
    this.#blobs = join(folder, 'blobs/sha256');
    this.#partials = join(folder, 'partial');
    this.#headers = join(folder, 'headers');
  }

  blobPath(digest: string): string {
    return join(this.#blobs, hexOf(digest));
  }

  partialPath(digest: string): string {
    return join(this.#partials, hexOf(digest));
  }

  /** Where the headers of a layer's members are kept once it has been read. */
  headersPath(digest: string, diffId: string): string {
    return join(this.#headers, `${hexOf(digest)}.${hexOf(diffId)}`);
  }

  async ensureFolders(): Promise<void> {
    await ensurePrivateFolder(this.#headers);
    await ensurePrivateFolder(this.#blobs);
    await ensurePrivateFolder(this.#partials);
  }

  /** Whether the blob is here, whole: it is read and hashed. A damaged one is removed. */
  async hasIntact(blob: Descriptor, options: Abortable = {}): Promise<boolean> {
    const path = this.blobPath(blob.digest);
    if ((await this.hasWhole(blob)) && (await digestOfFile(path, options)) === blob.digest) return true;
    await rm(path, { force: true });
    return false;
  }

  /** The same as far as its size tells, for those who check what they read; {@link repair} helps when it is damaged. */
  async hasWhole({ digest, size }: Descriptor): Promise<boolean> {
    return (await sizeIfThere(this.blobPath(digest))) === size;
  }

  /**
   * Looks through what is here of these blobs, after one of them turned out to be unusable: what is damaged goes, and what was
   * learnt of them.
   *
   * @returns whether something was damaged
   */
  async repair(digests: readonly string[], options: Abortable = {}): Promise<boolean> {
    let found = false;
    for (const digest of new Set(digests)) {
      const path = this.blobPath(digest);
      const isDamaged = (await pathExists(path)) && (await digestOfFile(path, options)) !== digest;
      if (isDamaged) await rm(path, { force: true });
      await this.#forgetHeaders(hexOf(digest));
      found ||= isDamaged;
    }
    return found;
  }

  /** Bytes of the blob that are here, intact or not. */
  async countBytes(digest: string): Promise<number> {
    return (await sizeIfThere(this.blobPath(digest))) ?? (await sizeIfThere(this.partialPath(digest))) ?? 0;
  }

  /** Makes the finished and hashed partial file of a blob the blob. */
  async publish(digest: string): Promise<void> {
    await rename(this.partialPath(digest), this.blobPath(digest));
    await syncFolder(this.#blobs);
  }

  /** Runs `work` when nobody else works on this blob. */
  async alone<T>(digest: string, { signal }: Abortable, work: () => Promise<T>): Promise<T> {
    for (;;) {
      const other = this.#writing.get(digest);
      if (!other) break;
      await raceAbort(Promise.allSettled([other]), signal);
    }
    const running = work().finally(() => this.#writing.delete(digest));
    this.#writing.set(digest, running);
    return running;
  }

  /** Keeps blobs from being pruned, also before they are here, until it is disposed of. */
  hold(digests: readonly string[]): Disposable {
    for (const digest of digests) this.#holds.set(digest, (this.#holds.get(digest) ?? 0) + 1);
    const held = new DisposableStack();
    held.defer(() => digests.forEach((digest) => this.#release(digest)));
    return held;
  }

  /** Removes blobs and unfinished downloads that nobody holds, and what was learnt of blobs that are gone. */
  async prune({ dryRun }: PruneOptions): Promise<PrunedBlobs> {
    const pruned = { freedBytes: 0, count: 0 };
    const gone = new Set<string>();
    for (const folder of [this.#blobs, this.#partials]) {
      for (const name of await listFolderIfThere(folder)) {
        // Asked anew for each: a pull may have begun meanwhile.
        if (this.#isHeld(name)) continue;
        pruned.freedBytes += await remove(join(folder, name), dryRun);
        pruned.count += 1;
        gone.add(name);
      }
    }
    for (const name of await listFolderIfThere(this.#headers)) {
      if (await this.#isOfUse(name, gone)) continue;
      pruned.freedBytes += await remove(join(this.#headers, name), dryRun);
    }
    return pruned;
  }

  /** Headers whose blob is here, or may be soon; without a pull that goes on, half written ones are what a crash left. */
  async #isOfUse(headersName: string, gone: ReadonlySet<string>): Promise<boolean> {
    const [hex = ''] = /[0-9a-f]{64}/.exec(headersName) ?? [];
    if (this.#isHeld(hex)) return true;
    return !isTemporaryName(headersName) && !gone.has(hex) && (await pathExists(join(this.#blobs, hex)));
  }

  #isHeld(hex: string): boolean {
    return this.#holds.has(`sha256:${hex}`);
  }

  async #forgetHeaders(hex: string): Promise<void> {
    const names = await listFolderIfThere(this.#headers);
    const own = names.filter((name) => name.startsWith(hex));
    for (const name of own) await rm(join(this.#headers, name), { force: true });
  }

  #release(digest: string): void {
    const left = (this.#holds.get(digest) ?? 1) - 1;
    if (left > 0) this.#holds.set(digest, left);
    else this.#holds.delete(digest);
  }
}

/** @returns how many bytes it had */
async function remove(path: string, dryRun: boolean): Promise<number> {
  const bytes = (await sizeIfThere(path)) ?? 0;
  if (!dryRun) await rm(path, { force: true });
  return bytes;
}
