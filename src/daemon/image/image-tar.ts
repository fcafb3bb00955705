import type { Abortable } from '#base/abort.ts';
import { formatSize } from '#base/sizes.ts';
import { UserError } from '#contract/errors.ts';
import { ROOT_INODE, type Ext4Reader } from '#ext4/reader/ext4-reader.ts';
import type { Inode } from '#ext4/reader/inode.ts';
import { LAYER_LIMITS } from '#oci/layers/layer-limits.ts';
import { paddedSizeOf } from '#oci/layers/tar-header.ts';
import { batched } from '#oci/layers/write-merged-tar.ts';
import { MEMBER_TYPES, tarEnd, tarHeader } from '#oci/layers/write-tar-header.ts';

const HARD_LINK = '1';
/** Of the file system and not of the image. */
const LOST_AND_FOUND = './lost+found/';

export interface TarLimits {
  maxEntries: number;
  maxBytes: number;
}

/**
 * Everything in a file system as a tar, each folder before what is in it, by names: the same for the same files. Sockets are left
 * out, as no tar has them.
 *
 * @throws UserError `IMAGE_SOURCE_INVALID`; `IMAGE_TOO_LARGE` for what could not be imported again; the signal's reason
 */
export function imageTar(
  reader: Ext4Reader,
  { signal, limits = LAYER_LIMITS }: Abortable & { limits?: TarLimits },
): AsyncGenerator<Buffer> {
  return batched(new TarWalk(reader, limits).members(signal));
}

class TarWalk {
  readonly #reader: Ext4Reader;
  readonly #limits: TarLimits;
  readonly #folders = new Set<number>();
  /** Under which name each file was met first. */
  readonly #names = new Map<number, string>();
  #entries = 0;
  #bytes = 0;

  constructor(reader: Ext4Reader, limits: TarLimits) {
    this.#reader = reader;
    this.#limits = limits;
  }

  async *members(signal: AbortSignal | undefined): AsyncGenerator<Buffer> {
    const pending = [{ name: './', number: ROOT_INODE }];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      signal?.throwIfAborted();
      const inode = await this.#reader.inode(next.number);
      if (inode.kind !== 'directory') {
        yield* this.#member(next.name, inode);
        continue;
      }
      const name = next.name.endsWith('/') ? next.name : `${next.name}/`;
      if (name === LOST_AND_FOUND) continue;
      yield* this.#member(name, inode);
      for (const child of await this.#childrenOf(inode)) {
        pending.push({ name: `${name}${child.name}`, number: child.inode });
      }
    }
    yield tarEnd();
  }

  /** The last one first. */
  async #childrenOf(folder: Inode): Promise<{ name: string; inode: number }[]> {
    if (this.#folders.has(folder.number)) throw invalid('a folder is in two places');
    this.#folders.add(folder.number);
    const entries = await this.#reader.folder(folder);
    if (new Set(entries.map(({ name }) => name)).size !== entries.length)
      throw invalid('a folder has two files of one name');
    return entries.toSorted((one, other) => (one.name > other.name ? -1 : 1));
  }

  async *#member(name: string, inode: Inode): AsyncGenerator<Buffer> {
    const { kind, number } = inode;
    if (kind === 'socket') return;
    const isFile = kind === 'file';
    const plain = { ...inode, name, linkTarget: '', xattrs: [], size: 0 };
    const first = this.#names.get(number);
    this.#count(isFile && first === undefined ? inode.size : 0);
    if (first !== undefined) {
      yield tarHeader({ ...plain, type: HARD_LINK, linkTarget: first, major: 0, minor: 0 });
      return;
    }
    if (kind !== 'directory') this.#names.set(number, name);
    const linkTarget = kind === 'symlink' ? await this.#reader.linkTarget(inode) : '';
    const xattrs = await this.#reader.attributes(inode);
    const size = isFile ? inode.size : 0;
    yield tarHeader({ ...plain, type: MEMBER_TYPES[kind], linkTarget, xattrs, size });
    if (!isFile) return;
    yield* this.#reader.content(inode);
    yield Buffer.alloc(paddedSizeOf(size) - size);
  }

  #count(bytes: number): void {
    const { maxEntries, maxBytes } = this.#limits;
    this.#entries += 1;
    this.#bytes += bytes;
    if (this.#entries <= maxEntries && this.#bytes <= maxBytes) return;
    const most = `${maxEntries} files or ${formatSize(maxBytes)}`;
    throw new UserError('IMAGE_TOO_LARGE', `Cannot export the image: it has more than ${most}`, {
      hint: 'copy its disk instead: banger image show tells where it is',
    });
  }
}

function invalid(condition: string): UserError {
  return new UserError('IMAGE_SOURCE_INVALID', `Cannot export the image: ${condition}`, {
    hint: 'check its disk with "e2fsck -fn"',
  });
}
