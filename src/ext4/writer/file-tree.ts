import type { Abortable } from '#base/abort.ts';
import type { TarAttribute } from '../tar-attributes.ts';

export type NodeKind = 'file' | 'directory' | 'symlink' | 'character' | 'block' | 'fifo';

/** What a file is, whatever its names are. */
export interface NodeInode {
  kind: NodeKind;
  mode: number;
  uid: number;
  gid: number;
  /** Seconds. */
  mtime: number;
  size: number;
  /** Of a symlink; bytes, one in each character. */
  target: string;
  major: number;
  minor: number;
}

/** A name in a folder, bytes, one in each character. Hard links are nodes that share an inode; folders share none. */
export interface TreeNode {
  name: string;
  inode: NodeInode;
  /** Of a folder. */
  children: ReadonlyMap<string, TreeNode> | undefined;
}

/** Takes the content of a file, from its begin to its end. */
export type TakeContent = (inode: NodeInode, offset: number, piece: Buffer) => Promise<void> | void;

/** A part of a file's content, and where in the disk it is put. */
export interface PlacedContent {
  inode: NodeInode;
  /** Bytes from the file's begin. */
  offset: number;
  /** Bytes from the disk's begin. */
  position: number;
  piece: Buffer;
}

/** Files from which a file system is made. */
export interface FileTree {
  root: TreeNode;
  /** Every extended attribute; paths without a slash at either end. */
  attributes: () => Iterable<TarAttribute>;
  /** One reader for each part that can be read beside the others; each hands over the content of its files, one after the other. */
  contents: readonly ((take: TakeContent, options: Abortable) => Promise<void>)[];
  /** Told of all content as it is written. The inodes are those that the readers named; as a method, it may know more of them. */
  onContent?(content: PlacedContent): void;
}
