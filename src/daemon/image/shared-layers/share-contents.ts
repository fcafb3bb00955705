import { basename } from 'node:path';
import type { ProgressReporter } from '#base/progress.ts';
import type { FileTree, PlacedContent } from '#ext4/writer/file-tree.ts';
import type { MergedTar } from '#oci/layers/merge-layers.ts';
import type { Inode } from '#oci/layers/merge-tree.ts';
import type { ContentRecorder } from './content-recorder.ts';
import type { SharedLayers } from './shared-layers.ts';

export interface Sharing {
  /** Of the layers, the lowest first. */
  diffIds: readonly string[];
  recorder: ContentRecorder;
  shared: SharedLayers;
  report: Pick<ProgressReporter, 'detail'> | undefined;
}

type ReadContents = FileTree['contents'][number];

/** The same tree; what another image has is read from there, and where everything is put is recorded. */
export function shareContents({ tree, wanted }: MergedTar, sharing: Sharing): FileTree {
  const { diffIds, recorder, shared, report } = sharing;
  const onDamaged = (imageFolder: string) =>
    report?.detail(`the image ${basename(imageFolder)} is damaged: its layers are unpacked anew`);
  const readers = tree.contents.map((read, layer) => {
    const diffId = diffIds[layer] ?? '';
    const readShared: ReadContents = async (take, { signal }) => {
      const contents = { wanted: wanted[layer], take };
      if (await shared.copy(diffId, contents, { signal, onDamaged })) return;
      recorder.forget(layer);
      await read(take, { signal });
    };
    return { isShared: shared.has(diffId), read: readShared };
  });
  // What takes long begins first: two are read at a time, and at the end one would be alone.
  const contents = [true, false].flatMap((isNew) => readers.filter(({ isShared }) => isShared !== isNew));
  return {
    ...tree,
    contents: contents.map(({ read }) => read),
    onContent: (content: PlacedContent & { inode: Inode }) => recorder.record(content),
  };
}
