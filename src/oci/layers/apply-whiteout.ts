import { LayerFault, shownName } from './layer-fault.ts';
import type { Entry, MergeTree } from './merge-tree.ts';

const PREFIX = '.wh.';
const OPAQUE = '.wh..wh..opq';
/** aufs kept its own things under such names; no runtime gives them to a container. */
const RESERVED = '.wh..wh.';

interface Place {
  tree: MergeTree;
  layer: number;
}

/**
 * Does what a member's name asks for when it is not the name of a file: removes what lower layers have there. What the same
 * layer has stays, wherever in the layer it stands.
 *
 * @returns whether there is nothing left to do for this member
 * @throws LayerFault when the name means nothing, or would mean something above it
 */
export function applyWhiteout(names: readonly string[], { tree, layer }: Place): boolean {
  const last = names.at(-1) ?? '';
  if (names.slice(0, -1).some((name) => name.startsWith(RESERVED))) return true;
  if (names.slice(0, -1).some((name) => name.startsWith(PREFIX))) {
    throw new LayerFault(`the path ${shownName(names.join('/'))} goes through a whiteout`);
  }
  if (!last.startsWith(PREFIX)) return false;
  if (last.startsWith(RESERVED) && last !== OPAQUE) return true;
  const hidden = last.slice(PREFIX.length);
  if (hidden === '' || hidden === '.' || hidden === '..') {
    throw new LayerFault(`the whiteout ${shownName(names.join('/'))} names nothing`);
  }
  const folder = tree.findFolder(names);
  if (folder === undefined) return true;
  if (last === OPAQUE) hideChildren(folder, layer);
  else hideChild(folder, hidden, layer);
  return true;
}

function hideChildren(folder: Entry, layer: number): void {
  for (const name of [...(folder.children?.keys() ?? [])]) hideChild(folder, name, layer);
}

function hideChild(folder: Entry, name: string, layer: number): void {
  const entry = folder.children?.get(name);
  if (entry === undefined) return;
  hideChildren(entry, layer);
  const isEmpty = entry.children === undefined || entry.children.size === 0;
  if (entry.layer < layer && isEmpty) folder.children?.delete(name);
}
