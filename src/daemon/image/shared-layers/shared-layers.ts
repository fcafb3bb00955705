import { open, readFile, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Abortable } from '#base/abort.ts';
import { systemErrorCode } from '#base/errors.ts';
import { ifThere } from '#base/if-there.ts';
import { listFolderIfThere } from '#host/files.ts';
import type { WantedContents } from '#oci/layers/read-contents.ts';
import { isArtifactId } from '../artifact-folder.ts';
import { ROOT_DISK_FILE } from '../image-store.ts';
import { ContentIndex } from './content-index.ts';
import { copyContents, DamagedContents, type ContentSource } from './copy-contents.ts';
import { indexName, indexPath, LAYERS_FOLDER } from './index-path.ts';

/** The layers whose contents lie in the root disks of other images, so that they need not be uncompressed. */
export class SharedLayers {
  /** By the names of their indexes, the folders of the images that have them. */
  readonly #images: ReadonlyMap<string, readonly string[]>;

  private constructor(images: ReadonlyMap<string, readonly string[]>) {
    this.#images = images;
  }

  /** Looks into the images that are beside this one. */
  static async beside(imageFolder: string): Promise<SharedLayers> {
    const parent = dirname(imageFolder);
    const ids = (await listFolderIfThere(parent)).filter(isArtifactId);
    const images = new Map<string, string[]>();
    for (const id of ids) {
      const folder = `${parent}/${id}`;
      for (const name of await listFolderIfThere(`${folder}/${LAYERS_FOLDER}`))
        images.set(name, [...(images.get(name) ?? []), folder]);
    }
    return new SharedLayers(images);
  }

  /** Whether another image may have its contents. */
  has(diffId: string): boolean {
    return this.#images.has(indexName(diffId));
  }

  /**
   * Copies what is wanted of a layer from an image that has all of it.
   *
   * @returns the folder of the image; undefined when none has all of it, whole: parts may have been handed over then
   * @throws the signal's reason
   */
  async copy(diffId: string, contents: WantedContents, options: CopyOptions): Promise<string | undefined> {
    if (!contents.wanted?.size) return undefined;
    for (const folder of this.#images.get(indexName(diffId)) ?? []) {
      const disk = await openIfThere(`${folder}/${ROOT_DISK_FILE}`);
      if (!disk) continue;
      try {
        const source = await findContents(disk, indexPath(folder, diffId), contents);
        if (!source) continue;
        await copyContents(source, contents, options);
        return folder;
      } catch (error) {
        if (!(error instanceof DamagedContents) && systemErrorCode(error) !== 'EIO') throw error;
        options.onDamaged(folder, error);
      } finally {
        await disk.close();
      }
    }
    return undefined;
  }
}

export interface CopyOptions extends Abortable {
  /** The disk of this image is not what it was. */
  onDamaged: (imageFolder: string, error: unknown) => void;
}

/** Open, it stays even when the image is deleted meanwhile. */
const openIfThere = (path: string): Promise<FileHandle | undefined> => ifThere(open(path, 'r'));

async function findContents(
  disk: FileHandle,
  path: string,
  { wanted }: WantedContents,
): Promise<ContentSource | undefined> {
  const bytes = await ifThere(readFile(path));
  const index = bytes && ContentIndex.parse(bytes);
  const rows = index?.rowsOf(wanted ?? new Map());
  return index && rows && { disk, index, rows };
}
