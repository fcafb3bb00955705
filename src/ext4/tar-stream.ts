import type { Readable } from 'node:stream';
import type { Abortable } from '#base/abort.ts';
import type { RootFolder } from './set-root-folder.ts';
import type { TarAttribute } from './tar-attributes.ts';

/** A tar that is made while it is read, in which each path comes once and folders before what is in them. */
export interface TarStream {
  /** From its beginning, each time. */
  open: (options: Abortable) => Readable;
  /** What else it gives its members, for the ways of unpacking that lose it. */
  attributes: () => Iterable<TarAttribute>;
  root: RootFolder;
}
