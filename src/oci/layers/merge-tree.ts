import { LayerFault, shownName } from './layer-fault.ts';
import type { LayerLimits } from './layer-limits.ts';
import type { Xattr } from './pax-records.ts';

export type InodeKind = 'file' | 'directory' | 'symlink' | 'character' | 'block' | 'fifo';

/** What a file is, however many names it has. */
export interface Inode {
  kind: InodeKind;
  mode: number;
  uid: number;
  gid: number;
  mtime: number;
  xattrs: readonly Xattr[];
  /** Of a regular file: its content is that of this member of this layer. */
  size: number;
  layer: number;
  index: number;
  /** Of a symlink. */
  target: string;
  /** Of a device. */
  major: number;
  minor: number;
}

/** A name in a folder. Hard links are entries that share an inode. */
export interface Entry {
  name: string;
  parent: Entry | undefined;
  /** The layer that said so last. */
  layer: number;
  inode: Inode;
  /** Of a directory. */
  children: Map<string, Entry> | undefined;
}

const FOLDER: Inode = {
  ...{ kind: 'directory', mode: 0o755, uid: 0, gid: 0, mtime: 0, xattrs: [] },
  ...{ size: 0, layer: 0, index: -1, target: '', major: 0, minor: 0 },
};

/**
 * The file system that the layers make, in memory only: no path of a layer is ever looked up on the host. A symlink is a leaf here,
 * so nothing can be reached through one.
 */
export class MergeTree {
  readonly root: Entry = newDirectory('', undefined, 0);
  readonly #limits: LayerLimits;
  #added = 0;
  #metadataBytes = 0;

  constructor(limits: LayerLimits) {
    this.#limits = limits;
  }

  /** Counts a member, also one that leaves no entry. @throws LayerFault `IMAGE_TOO_LARGE` */
  countEntry(): void {
    this.#added += 1;
    if (this.#added > this.#limits.maxEntries) throw tooManyEntries(this.#limits);
  }

  countMetadata(bytes: number): void {
    this.#metadataBytes += bytes;
    if (this.#metadataBytes <= this.#limits.maxMetadataBytes) return;
    throw new LayerFault('the names and attributes of the image are too large', 'IMAGE_TOO_LARGE');
  }

  /**
   * The folder that a path's last name is in, undefined where the lower part of the path does not exist.
   *
   * @throws LayerFault when a part of the path is a symlink or another thing that is no folder
   */
  findFolder(names: readonly string[]): Entry | undefined {
    let folder = this.root;
    for (const name of names.slice(0, -1)) {
      const next = folder.children?.get(name);
      if (next === undefined) return undefined;
      refuseLeaf(next, names);
      folder = next;
    }
    return folder;
  }

  /** The same, with what is missing made as root's. */
  ensureFolder(names: readonly string[], layer: number): Entry {
    let folder = this.root;
    for (const name of names.slice(0, -1)) {
      const next = folder.children?.get(name) ?? this.#addFolder(folder, name, layer);
      refuseLeaf(next, names);
      folder = next;
    }
    return folder;
  }

  /** Replaces what has this name. */
  put(entry: Entry): void {
    this.countMetadata(entry.name.length);
    entry.parent?.children?.set(entry.name, entry);
  }

  #addFolder(parent: Entry, name: string, layer: number): Entry {
    this.countEntry();
    const entry = newDirectory(name, parent, layer);
    this.put(entry);
    return entry;
  }
}

export function tooManyEntries({ maxEntries }: LayerLimits): LayerFault {
  return new LayerFault(`the image has more than ${maxEntries} files and folders`, 'IMAGE_TOO_LARGE');
}

function newDirectory(name: string, parent: Entry | undefined, layer: number): Entry {
  return { name, parent, layer, inode: FOLDER, children: new Map() };
}

function refuseLeaf(entry: Entry, names: readonly string[]): void {
  if (entry.children !== undefined) return;
  const what = entry.inode.kind === 'symlink' ? 'a symlink' : 'no folder';
  throw new LayerFault(
    `the path ${shownName(names.join('/'))} goes through ${shownName(entry.name)}, which is ${what}`,
  );
}

/** From the root, without a slash at either end; empty for the root. */
export function pathOf(entry: Entry): string {
  const names: string[] = [];
  for (let at: Entry | undefined = entry; at?.parent !== undefined; at = at.parent) names.push(at.name);
  return names.toReversed().join('/');
}

/** All entries, each folder before what is in it. */
export function* walkTree(root: Entry): Generator<Entry> {
  const pending = [root];
  for (let entry = pending.pop(); entry !== undefined; entry = pending.pop()) {
    yield entry;
    // One by one: a folder may have more children than a call takes arguments.
    for (const child of [...(entry.children?.values() ?? [])].toReversed()) pending.push(child);
  }
}
