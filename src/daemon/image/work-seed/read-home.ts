import type { Abortable } from '#base/abort.ts';
import { formatSize } from '#base/sizes.ts';
import { UserError } from '#contract/errors.ts';
import { ROOT_INODE, type Ext4Reader } from '#ext4/reader/ext4-reader.ts';
import type { Inode } from '#ext4/reader/inode.ts';
import { EMPTY_HOME, NO_CONTENT, type Home, type HomeEntry } from './home.ts';
import { HOME_LIMITS, type HomeLimits } from './home-limits.ts';
import { unusableHome } from './unusable-home.ts';

export interface ReadHomeOptions extends Abortable {
  limits?: Partial<HomeLimits>;
}

const HOME = 'root';
/** The longest path that tar is given, and that Linux takes. */
const MAX_PATH_BYTES = 4000;

/**
 * Everything in `/root` of an image, without any file's bytes. An image without `/root` has an empty one. Sockets are left out.
 *
 * @throws UserError `IMAGE_SOURCE_INVALID`, `IMAGE_TOO_LARGE`; the signal's reason
 */
export async function readHome(reader: Ext4Reader, options: ReadHomeOptions = {}): Promise<Home> {
  const top = await reader.folder(await reader.inode(ROOT_INODE));
  const found = top.find(({ name }) => name === HOME);
  if (found === undefined) return EMPTY_HOME;
  const inode = await reader.inode(found.inode);
  if (inode.kind !== 'directory') throw unusableHome(`it is a ${inode.kind} and not a folder`);
  const { mode, mtime } = inode;
  const attributes = await reader.attributes(inode);
  const entries = await new HomeWalk(reader, options).walk(inode);
  return { mode, mtime, attributes, entries };
}

class HomeWalk {
  readonly #reader: Ext4Reader;
  readonly #limits: HomeLimits;
  readonly #signal: AbortSignal | undefined;
  readonly #folders = new Set<number>();
  /** Where each file was met first. */
  readonly #files = new Map<number, string>();
  readonly #spent: Record<keyof HomeLimits, number> = {
    maxEntries: 0,
    maxBytes: 0,
    maxMetadataBytes: 0,
    maxFolderBytes: 0,
  };

  constructor(reader: Ext4Reader, { limits, signal }: ReadHomeOptions) {
    this.#reader = reader;
    this.#limits = { ...HOME_LIMITS, ...limits };
    this.#signal = signal;
  }

  async walk(home: Inode): Promise<HomeEntry[]> {
    const entries: HomeEntry[] = [];
    const folders = [{ path: '', inode: home }];
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      for (const { name, inode } of await this.#list(folder.inode)) {
        this.#signal?.throwIfAborted();
        const path = folder.path === '' ? name : `${folder.path}/${name}`;
        const entry = await this.#look(path, inode);
        if (entry !== undefined) entries.push(entry);
        if (inode.kind === 'directory') folders.push({ path, inode });
      }
    }
    return entries;
  }

  async #list(folder: Inode): Promise<{ name: string; inode: Inode }[]> {
    if (this.#folders.has(folder.number)) throw unusableHome('a folder is in two places');
    this.#folders.add(folder.number);
    this.#spend('maxFolderBytes', folder.size);
    const entries = await this.#reader.folder(folder);
    this.#spend('maxEntries', entries.length);
    const names = new Set(entries.map(({ name }) => name));
    if (names.size !== entries.length) throw unusableHome('a folder has two files of one name');
    const sorted = entries.toSorted((one, other) => (one.name < other.name ? -1 : 1));
    const listed: { name: string; inode: Inode }[] = [];
    for (const { name, inode } of sorted) listed.push({ name, inode: await this.#reader.inode(inode) });
    return listed;
  }

  async #look(path: string, inode: Inode): Promise<HomeEntry | undefined> {
    const { number, kind, mode, uid, gid, mtime, major, minor } = inode;
    if (kind === 'socket') return undefined;
    if (path.length > MAX_PATH_BYTES) throw unusableHome('a path in it is too long');
    const first = kind === 'directory' ? undefined : this.#files.get(number);
    if (first === undefined) this.#files.set(number, path);
    const isNew = first === undefined;
    const attributes = isNew ? await this.#reader.attributes(inode) : [];
    if (attributes.length > 0 && path.includes('\n'))
      throw unusableHome('a file with a line break in its name has extended attributes');
    const target = kind === 'symlink' ? await this.#reader.linkTarget(inode) : '';
    const values = attributes.reduce((sum, { name, value }) => sum + name.length + value.length, 0);
    this.#spend('maxMetadataBytes', path.length + target.length + values);
    const content = kind === 'file' ? { size: inode.size, inode } : NO_CONTENT;
    if (isNew) this.#spend('maxBytes', content.size);
    const own = { path, kind, mode, uid, gid, mtime, major, minor, attributes, target, content };
    return isNew ? own : { ...own, sameAs: first };
  }

  #spend(what: keyof HomeLimits, amount: number): void {
    this.#spent[what] += amount;
    if (this.#spent[what] > this.#limits[what]) throw tooMuch(this.#limits);
  }
}

function tooMuch({ maxEntries, maxBytes }: HomeLimits): UserError {
  return new UserError(
    'IMAGE_TOO_LARGE',
    `Cannot make a work seed: /root in the image has more than ${maxEntries} files or ${formatSize(maxBytes)}`,
    { hint: 'move what is large out of /root, and commit the VM again' },
  );
}
