import { walkTree, type Entry, type Inode, type MergeTree } from './merge-tree.ts';

/** What of which layer goes into the merged tar, and under which names. */
export interface OutputPlan {
  root: Entry;
  /** For each layer: the members whose content is wanted, and its first name. */
  files: ReadonlyMap<number, Entry>[];
  /** The names of what has several, in the order in which one meets them. */
  names: ReadonlyMap<Inode, readonly [Entry, ...Entry[]]>;
  entries: number;
  /** Bytes of all regular files, each counted once. */
  contentBytes: number;
}

export function planOutput(tree: MergeTree, layers: number): OutputPlan {
  const files = Array.from({ length: layers }, () => new Map<number, Entry>());
  const first = new Map<Inode, Entry>();
  const names = new Map<Inode, [Entry, ...Entry[]]>();
  let entries = 0;
  let contentBytes = 0;
  for (const entry of walkTree(tree.root)) {
    const { inode } = entry;
    entries += 1;
    if (inode.kind === 'directory') continue;
    const met = first.get(inode);
    if (met !== undefined) {
      const known = names.get(inode);
      if (known) known.push(entry);
      else names.set(inode, [met, entry]);
      continue;
    }
    first.set(inode, entry);
    if (inode.kind !== 'file') continue;
    files[inode.layer]?.set(inode.index, entry);
    contentBytes += inode.size;
  }
  return { root: tree.root, files, names, entries, contentBytes };
}

/** Everything that has no content, each folder before what is in it, and so each further name after the first one and its own folder. */
export function* entriesWithoutContent({ root }: OutputPlan): Generator<Entry> {
  for (const entry of walkTree(root)) if (entry.inode.kind !== 'file') yield entry;
}
