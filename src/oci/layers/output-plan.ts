import { walkTree, type Entry, type Inode, type MergeTree } from './merge-tree.ts';

/** What of which layer goes into the merged tar, and under which names. */
export interface OutputPlan {
  root: Entry;
  /** For each layer: the members whose content is wanted, and its first name. */
  files: ReadonlyMap<number, Entry>[];
  /** The further names of what has several. */
  links: ReadonlyMap<Inode, readonly Entry[]>;
  entries: number;
  /** Bytes of all regular files, each counted once. */
  contentBytes: number;
}

export function planOutput(tree: MergeTree, layers: number): OutputPlan {
  const files = Array.from({ length: layers }, () => new Map<number, Entry>());
  const first = new Map<Inode, Entry>();
  const links = new Map<Inode, Entry[]>();
  let entries = 0;
  let contentBytes = 0;
  for (const entry of walkTree(tree.root)) {
    const { inode } = entry;
    entries += 1;
    if (inode.kind === 'directory') continue;
    if (first.has(inode)) {
      links.set(inode, [...(links.get(inode) ?? []), entry]);
      continue;
    }
    first.set(inode, entry);
    if (inode.kind !== 'file') continue;
    files[inode.layer]?.set(inode.index, entry);
    contentBytes += inode.size;
  }
  return { root: tree.root, files, links, entries, contentBytes };
}

/** Everything that has no content, each folder before what is in it; a further name comes right after the first. */
export function* entriesWithoutContent({ root, links }: OutputPlan): Generator<Entry> {
  const further = new Set([...links.values()].flat());
  for (const entry of walkTree(root)) {
    if (entry.inode.kind === 'file' || further.has(entry)) continue;
    yield entry;
  }
}
