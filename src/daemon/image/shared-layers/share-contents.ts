import { basename } from 'node:path';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { ProgressReporter } from '#base/progress.ts';
import type { FileTree } from '#ext4/writer/file-tree.ts';
import type { MergedTar } from '#oci/layers/merge-layers.ts';
import type { ContentRecorder, LayerContent } from './content-recorder.ts';
import { SharedLayers, type OnUnusable } from './shared-layers.ts';

export interface SharingReport {
  report?: Pick<ProgressReporter, 'detail'> | undefined;
  log?: Pick<Logger, 'warn'> | undefined;
}

export interface Sharing extends SharingReport {
  /** The folder of the image that is made, beside those of others. */
  folder: string;
  /** Of the layers, the lowest first. */
  diffIds: readonly string[];
  recorder: ContentRecorder;
}

type ReadContents = FileTree['contents'][number];

/** The same tree; what another image has is read from there, and where everything is put is recorded. */
export async function shareContents({ tree, wanted }: MergedTar, sharing: Sharing): Promise<FileTree> {
  const { folder, diffIds, recorder } = sharing;
  const onUnusable = reportOnce(sharing);
  const shared = await SharedLayers.beside(folder, onUnusable);
  const readers = tree.contents.map((read, layer) => {
    const diffId = diffIds[layer] ?? '';
    const begin: OnUnusable = (imageFolder, error) => {
      onUnusable(imageFolder, error);
      recorder.forget(layer);
    };
    const readShared: ReadContents = async (take, { signal }) => {
      const contents = { wanted: wanted[layer], take };
      if (await shared.copy(diffId, contents, { signal, onUnusable: begin })) return;
      await read(take, { signal });
    };
    return { isShared: shared.has(diffId), read: readShared };
  });
  // What takes long begins first: two are read at a time, and at the end one would be alone.
  const inOrder = [
    ...readers.filter(({ isShared }) => !isShared),
    ...readers.filter(({ isShared }) => isShared),
  ];
  return {
    ...tree,
    contents: inOrder.map(({ read }) => read),
    onContent: (content: LayerContent) => recorder.record(content),
  };
}

/** A disk that VMs begin with is damaged: whoever makes another image is told, and the log keeps it. */
function reportOnce({ report, log }: SharingReport): OnUnusable {
  const told = new Set<string>();
  return (imageFolder, error) => {
    if (told.has(imageFolder)) return;
    told.add(imageFolder);
    const image = basename(imageFolder);
    report?.detail(`the image ${image} is damaged: nothing is copied from it`);
    log?.warn({ image, error: messageOf(error) }, 'an image is damaged: nothing is copied from it');
  };
}
