import { open, readFile, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Abortable } from '#base/abort.ts';
import { ifThere } from '#base/if-there.ts';
import { listFolderIfThere } from '#host/files.ts';
import { hexOf } from '#oci/digest.ts';
import type { WantedContents } from '#oci/layers/read-contents.ts';
import { isArtifactId } from '../artifact-folder.ts';
import { ROOT_DISK_FILE } from '../image-store.ts';
import { ContentIndex } from './content-index.ts';
import { copyContents, DamagedContents } from './copy-contents.ts';
import { indexPath, LAYERS_FOLDER } from './index-path.ts';

/** Told of an image from which nothing can be copied although it is there, and why. */
export type OnUnusable = (imageFolder: string, error: unknown) => void;

export interface CopyOptions extends Abortable {
  /** What was handed over until then comes again. */
  onUnusable: OnUnusable;
}

/** The layers whose contents lie in the root disks of other images, so that they need not be uncompressed. */
export class SharedLayers {
  /** By the digits of their diff ids, the folders of the images that have them. */
  readonly #images: ReadonlyMap<string, readonly string[]>;

  private constructor(images: ReadonlyMap<string, readonly string[]>) {
    this.#images = images;
  }

  /** Looks into the images that are beside this one. */
  static async beside(imageFolder: string, onUnusable: OnUnusable): Promise<SharedLayers> {
    const parent = dirname(imageFolder);
    const images = new Map<string, string[]>();
    for (const id of (await listFolderIfThere(parent)).filter(isArtifactId).toSorted()) {
      const folder = `${parent}/${id}`;
      const look = () => listFolderIfThere(`${folder}/${LAYERS_FOLDER}`);
      const names = await usable(folder, look, onUnusable);
      for (const name of names ?? []) images.set(name, [...(images.get(name) ?? []), folder]);
    }
    return new SharedLayers(images);
  }

  /** Whether another image may have its contents. */
  has(diffId: string): boolean {
    return this.#images.has(hexOf(diffId));
  }

  /**
   * Copies what is wanted of a layer from an image that has all of it.
   *
   * @returns whether one has it, and is what it was
   * @throws what taking it throws; the signal's reason
   */
  async copy(diffId: string, contents: WantedContents, options: CopyOptions): Promise<boolean> {
    if (!contents.wanted?.size) return false;
    for (const folder of this.#images.get(hexOf(diffId)) ?? []) {
      // Open, it stays even when the image is deleted meanwhile.
      const openDisk = () => ifThere(open(`${folder}/${ROOT_DISK_FILE}`, 'r'));
      const disk = await usable(folder, openDisk, options.onUnusable);
      if (!disk) continue;
      try {
        if (await copyFrom({ disk, folder, diffId }, contents, options)) return true;
      } finally {
        await disk.close();
      }
    }
    return false;
  }
}

async function copyFrom(
  { disk, folder, diffId }: { disk: FileHandle; folder: string; diffId: string },
  contents: WantedContents,
  { signal, onUnusable }: CopyOptions,
): Promise<boolean> {
  const readIndex = () => ifThere(readFile(indexPath(folder, diffId)));
  const bytes = await usable(folder, readIndex, onUnusable);
  const index = bytes && ContentIndex.parse(bytes);
  const rows = index?.rowsOf(contents.wanted ?? new Map());
  if (!index || !rows) return false;
  try {
    await copyContents({ disk, index, rows }, contents, { signal });
    return true;
  } catch (error) {
    if (!(error instanceof DamagedContents)) throw error;
    onUnusable(folder, error);
    return false;
  }
}

/** An image that cannot be read is no reason to fail: there is another way to the same contents. */
async function usable<T>(
  folder: string,
  look: () => Promise<T>,
  onUnusable: OnUnusable,
): Promise<T | undefined> {
  try {
    return await look();
  } catch (error) {
    onUnusable(folder, error);
    return undefined;
  }
}
