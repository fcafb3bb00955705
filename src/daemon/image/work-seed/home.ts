import type { Inode } from '#ext4/reader/inode.ts';
import type { Attribute } from '#ext4/reader/ext4-reader.ts';

/** The home folder of an image's root, as a work seed begins with it. */
export interface Home {
  /** The folder itself. */
  mode: number;
  mtime: number;
  attributes: readonly Attribute[];
  /** Folders before what is in them. */
  entries: readonly HomeEntry[];
}

export interface HomeEntry {
  /** From the home folder, without a slash at either end. Bytes, one in each character. */
  path: string;
  kind: Exclude<Inode['kind'], 'socket'>;
  mode: number;
  uid: number;
  gid: number;
  mtime: number;
  major: number;
  minor: number;
  attributes: readonly Attribute[];
  /** Of a symbolic link. */
  target: string;
  /** An entry further up that is the same file. */
  sameAs?: string;
  /** Of a file. */
  content: FileContent;
}

/** Where the bytes of a file are. */
export type FileContent = { size: number } & ({ inode: Inode } | { bytes: Buffer });

export const NO_CONTENT: FileContent = { size: 0, bytes: Buffer.alloc(0) };

/** Of an image that has no home folder for root. */
export const EMPTY_HOME: Home = { mode: 0o700, mtime: 0, attributes: [], entries: [] };
