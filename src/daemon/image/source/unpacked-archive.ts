import { LayerFault } from '#oci/layers/layer-fault.ts';
import { splitPath } from '#oci/layers/member-path.ts';
import type { Entry, MergeTree } from '#oci/layers/merge-tree.ts';
import type { FilePlace } from './archive-files.ts';
import { invalidSource } from './invalid-source.ts';

/** As Linux follows. */
const MAX_LINKS = 40;

/** What was in an archive: names in memory, contents in files that are called by the number of their member. */
export class UnpackedArchive implements FilePlace {
  readonly path: string;
  readonly #folder: string;
  readonly #tree: MergeTree;

  constructor(path: string, { folder, tree }: { folder: string; tree: MergeTree }) {
    this.path = path;
    this.#folder = folder;
    this.#tree = tree;
  }

  /** Links lead to other members, or nowhere. @throws UserError `IMAGE_SOURCE_INVALID` */
  async find(name: string): Promise<string> {
    const entry = this.#follow(name, this.#split(name));
    if (entry.inode.kind !== 'file') throw invalidSource(this.path, `"${name}" is not a file of it`);
    return `${this.#folder}/${entry.inode.index}`;
  }

  #split(name: string): string[] {
    try {
      return splitPath(Buffer.from(name).toString('latin1')); // names of members are bytes
    } catch (error) {
      if (!(error instanceof LayerFault)) throw error;
      throw invalidSource(this.path, error.message, { cause: error });
    }
  }

  #follow(name: string, names: readonly string[]): Entry {
    const refuse = (why: string) => invalidSource(this.path, `"${name}" ${why}`);
    let at = this.#tree.root;
    let links = 0;
    const pending = names.toReversed();
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const found = next === '..' ? at.parent : at.children?.get(next);
      if (!found) throw refuse(next === '..' ? 'is a link that leads out of it' : 'is not in it');
      if (found.inode.kind !== 'symlink') {
        at = found;
        continue;
      }
      const { target } = found.inode;
      if (target.startsWith('/')) throw refuse('is a link that leads out of it');
      links += 1;
      if (links > MAX_LINKS) throw refuse('leads through too many links');
      pending.push(...target.split('/').filter(isName).toReversed());
    }
    return at;
  }
}

const isName = (part: string): boolean => part !== '' && part !== '.';
