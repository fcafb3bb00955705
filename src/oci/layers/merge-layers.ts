import { Readable } from 'node:stream';
import type { Abortable } from '#base/abort.ts';
import type { LayerFile } from '../descriptor.ts';
import { applyMember } from './apply-member.ts';
import { layerFailure } from './layer-failure.ts';
import { membersOf } from './layer-headers.ts';
import { LAYER_LIMITS, type LayerLimits } from './layer-limits.ts';
import { MergeTree, pathOf, walkTree, type Entry, type Inode } from './merge-tree.ts';
import { planOutput } from './output-plan.ts';
import type { Xattr } from './pax-records.ts';
import { readContents, type TakeContent } from './read-contents.ts';
import { writeMergedTar } from './write-merged-tar.ts';

export interface MergeOptions extends Abortable {
  limits?: Partial<LayerLimits>;
}

/** One extended attribute of one file. */
export interface FileAttribute extends Xattr {
  path: string;
}

/** The files that an image's layers make together. */
export interface MergedTar {
  /** Files, folders and all else, the root included. */
  entries: number;
  /** Bytes of all regular files, each counted once. */
  contentBytes: number;
  /** The root folder's own. */
  root: Readonly<Pick<Inode, 'mode' | 'uid' | 'gid' | 'mtime'>>;
  /** The same as a tree of names and the contents of each layer's files, which may be read beside each other. */
  tree: {
    root: Entry;
    attributes: () => Iterable<FileAttribute>;
    contents: readonly ((take: TakeContent, options: Abortable) => Promise<void>)[];
  };
  /** For each layer: the members whose content is wanted, by their place in it. */
  wanted: readonly ReadonlyMap<number, Entry>[];
  /** Every extended attribute; paths are bytes, one in each character, without a slash at either end. */
  attributes: () => Iterable<FileAttribute>;
  /**
   * A pax tar in which each path comes once, folders before what is in them, files before their hard links. May be opened again.
   * It fails when a layer was changed in the meantime.
   */
  open: (options?: Abortable) => Readable;
}

/**
 * Merges layers, the lowest first. Reads every layer to its end, checks its diff id and judges every member, before it returns;
 * contents are read again when the tar is opened. Of a layer whose headers are kept only these are read, and its diff id is checked
 * with its contents. Nothing is written anywhere.
 *
 * @throws UserError `IMAGE_LAYER_INVALID`, `IMAGE_TOO_LARGE`; the signal's reason
 */
export async function mergeLayers(
  layers: readonly LayerFile[],
  options: MergeOptions = {},
): Promise<MergedTar> {
  const { signal } = options;
  const limits = { ...LAYER_LIMITS, ...options.limits };
  const tree = new MergeTree(limits);
  const reading = { limits, spent: { bytes: 0 }, signal };
  for (const [index, layer] of layers.entries()) {
    try {
      for await (const member of membersOf(layer, reading)) applyMember(member, { tree, layer: index });
    } catch (error) {
      throw layerFailure(error, layer);
    }
  }
  const plan = planOutput(tree, layers.length);
  const { entries, contentBytes } = plan;
  const attributes = () => attributesOf(tree.root);
  const open = (again: Abortable = {}) =>
    Readable.from(writeMergedTar(layers, plan, { limits, spent: { bytes: 0 }, signal: again.signal }), {
      objectMode: false,
    });
  const contents = layers.map(
    (layer, index) => (take: TakeContent, again: Abortable) =>
      readContents(
        layer,
        { wanted: plan.files[index], take },
        { limits, spent: { bytes: 0 }, signal: again.signal },
      ),
  );
  return {
    ...{ entries, contentBytes, root: tree.root.inode, attributes, open },
    tree: { root: tree.root, attributes, contents },
    wanted: plan.files,
  };
}

function* attributesOf(root: Entry): Generator<FileAttribute> {
  for (const entry of walkTree(root)) {
    for (const xattr of entry.inode.xattrs) yield { path: pathOf(entry), ...xattr };
  }
}
