import { UserError } from '#contract/errors.ts';
import { ROOT_INODE } from './inode.ts';
import type { Superblock } from './superblock.ts';
import type { NodeInode, TreeNode } from './file-tree.ts';
import { LOST_AND_FOUND } from './lost-and-found.ts';

const MAX_LINKS = 65_000;

/** What becomes an inode of the file system. */
export interface NumberedNode {
  node: TreeNode;
  number: number;
  /** Of the folder it is in. */
  parent: number;
}

/** Which inode each file gets. */
export interface InodeNumbers {
  /** In the order of their numbers, but for the root, which is the first and has number 2. */
  nodes: NumberedNode[];
  /** Of a folder by its node, of all else by its inode, which several nodes may have. */
  numberOf: (node: TreeNode) => number;
  linksOf: (node: TreeNode) => number;
  last: number;
}

/** @throws UserError `DISK_TOO_SMALL`; `IMAGE_BUILD_FAILED` for more hard links than ext4 has */
export function numberInodes(root: TreeNode, { firstInode, inodes }: Superblock): InodeNumbers {
  const numbers = new Map<TreeNode | NodeInode, number>([[root, ROOT_INODE]]);
  const names = new Map<NodeInode, number>();
  const nodes: NumberedNode[] = [{ node: root, number: ROOT_INODE, parent: ROOT_INODE }];
  let next = firstInode;
  const visit = (node: TreeNode, parent: number) => {
    const key = node.children ? node : node.inode;
    if (numbers.has(key)) {
      names.set(node.inode, (names.get(node.inode) ?? 1) + 1);
      return;
    }
    numbers.set(key, next);
    nodes.push({ node, number: next, parent });
    next += 1;
  };
  for (const { node, parent } of childrenOf(root, (folder) => numbers.get(folder) ?? 0)) visit(node, parent);
  refuseTooManyLinks(names);
  if (next - 1 > inodes) throw tooManyFiles(next - 1, inodes);
  return {
    nodes,
    numberOf: (node) => numbers.get(node.children ? node : node.inode) ?? 0,
    linksOf: (node) => (node.children ? folderLinks(node.children) : (names.get(node.inode) ?? 1)),
    last: next - 1,
  };
}

/** All below the root, each folder before what is in it; lost+found, whose number is the first one, before all. */
function* childrenOf(
  root: TreeNode,
  numberOf: (folder: TreeNode) => number,
): Generator<{ node: TreeNode; parent: number }> {
  const lost = root.children?.get(LOST_AND_FOUND);
  if (lost) yield { node: lost, parent: ROOT_INODE };
  const pending = [root];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    const parent = numberOf(folder);
    const below: TreeNode[] = [];
    for (const child of folder.children?.values() ?? []) {
      if (child !== lost) yield { node: child, parent };
      if (child.children) below.push(child);
    }
    while (below.length > 0) pending.push(below.pop() as TreeNode);
  }
}

/** Its own `.`, the name it has, and the `..` of each folder in it; 1 says that there are more than can be counted. */
function folderLinks(children: ReadonlyMap<string, TreeNode>): number {
  let links = 2;
  for (const child of children.values()) if (child.children) links += 1;
  return links > MAX_LINKS ? 1 : links;
}

function tooManyFiles(count: number, inodes: number): UserError {
  const condition = `it has room for ${inodes} files, and there are ${count}`;
  return new UserError('DISK_TOO_SMALL', `Cannot make the file system: ${condition}`, {
    hint: 'give it a larger size',
  });
}

function refuseTooManyLinks(names: ReadonlyMap<NodeInode, number>): void {
  for (const count of names.values()) {
    if (count <= MAX_LINKS) continue;
    const condition = `a file has ${count} hard links, and ext4 allows ${MAX_LINKS}`;
    throw new UserError('IMAGE_BUILD_FAILED', `Cannot make the file system: ${condition}`);
  }
}
