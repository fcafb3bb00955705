import { mkdir, rm, writeFile } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { systemErrorCode } from '#base/errors.ts';
import { MiB } from '#base/sizes.ts';
import type { PlacedContent } from '#ext4/writer/file-tree.ts';
import type { Inode } from '#oci/layers/merge-tree.ts';
import { ContentIndex, type ContentRun } from './content-index.ts';
import { indexPath, LAYERS_FOLDER } from './index-path.ts';

/** What is read, and checked, at once when it is copied. */
const RUN_BYTES = MiB;
const FULL = ['ENOSPC', 'EDQUOT'];

/** Placed content of which is known whose it is. */
export type LayerContent = PlacedContent & { inode: Inode };

/** Notes where the contents of each layer are put while a root disk is written. */
export class ContentRecorder {
  readonly #indexes = new Map<number, ContentIndex>();
  /** Of each layer the part that may still grow: several are written at a time. */
  readonly #growing = new Map<number, ContentRun>();

  record({ inode, offset, position, piece }: LayerContent): void {
    for (let done = 0; done < piece.length;) {
      const begin = offset + done;
      const most = RUN_BYTES - (begin % RUN_BYTES);
      const part = piece.subarray(done, done + most);
      this.#add({ inode, offset: begin, position: position + done, piece: part });
      done += part.length;
    }
  }

  /** As if nothing of the layer had been written. */
  forget(layer: number): void {
    this.#indexes.delete(layer);
    this.#growing.delete(layer);
  }

  /**
   * Writes the index of each layer into the folder of the image. Not synced: one that is not whole is not used. When the disk is
   * full there is none, as the image needs none.
   */
  async save(imageFolder: string, diffIds: readonly string[]): Promise<void> {
    for (const layer of this.#growing.keys()) this.#finish(layer);
    const indexes = new Map<string, ContentIndex>();
    for (const [layer, index] of this.#indexes) {
      const diffId = diffIds[layer] ?? '';
      // Of a layer that an image has twice, the one that more is seen of.
      if ((indexes.get(diffId)?.bytes ?? 0) < index.bytes) indexes.set(diffId, index);
    }
    const folder = `${imageFolder}/${LAYERS_FOLDER}`;
    try {
      if (indexes.size > 0) await mkdir(folder, { mode: 0o700 });
      for (const [diffId, index] of indexes)
        await writeFile(indexPath(imageFolder, diffId), index.serialize(), { flag: 'wx', mode: 0o600 });
    } catch (error) {
      if (!FULL.includes(systemErrorCode(error) ?? '')) throw error;
      await rm(folder, { recursive: true, force: true });
    }
  }

  #add({ inode, offset, position, piece }: LayerContent): void {
    const { layer, index: member } = inode;
    const run = this.#growing.get(layer);
    const isNext =
      run?.member === member && run.offset + run.length === offset && run.position + run.length === position;
    if (isNext && offset % RUN_BYTES !== 0) {
      run.crc32 = crc32(piece, run.crc32);
      run.length += piece.length;
      return;
    }
    this.#finish(layer);
    this.#growing.set(layer, { member, offset, position, length: piece.length, crc32: crc32(piece) });
  }

  #finish(layer: number): void {
    const run = this.#growing.get(layer);
    if (!run) return;
    this.#growing.delete(layer);
    let index = this.#indexes.get(layer);
    if (!index) this.#indexes.set(layer, (index = ContentIndex.empty()));
    index.add(run);
  }
}
