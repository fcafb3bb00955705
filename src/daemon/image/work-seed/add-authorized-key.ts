import type { Ext4Reader } from '#ext4/reader/ext4-reader.ts';
import { NO_CONTENT, type Home, type HomeEntry } from './home.ts';
import type { PublicKey } from './public-key.ts';
import { unusableHome } from './unusable-home.ts';

const FOLDER = '.ssh';
const FILE = '.ssh/authorized_keys';
const MAX_BYTES = 2 ** 20;

/**
 * The home with a key that opens it, after those that the image has; sshd wants both folder and file to be root's alone.
 *
 * @throws UserError `IMAGE_SOURCE_INVALID`
 */
export async function addAuthorizedKey(home: Home, key: PublicKey, reader: Ext4Reader): Promise<Home> {
  const folder = find(home, FOLDER);
  if (folder !== undefined && folder.kind !== 'directory') throw unusableHome(`its ${FOLDER} is no folder`);
  const listed = find(home, FILE);
  // Another name of the same file is the same file.
  const file = listed?.sameAs === undefined ? listed : find(home, listed.sameAs);
  if (file !== undefined && file.kind !== 'file') throw unusableHome(`its ${FILE} is no file`);
  const bytes = withKey(file === undefined ? '' : await textOf(file, reader), key);
  const content = { size: bytes.length, bytes };
  const own = { ...newEntry(home), ...file };
  const changed: HomeEntry[] = [
    { ...newEntry(home), ...folder, ...OWNER, path: FOLDER, kind: 'directory', mode: 0o700 },
    { ...own, ...OWNER, path: file?.path ?? FILE, kind: 'file', mode: 0o600, content },
  ];
  const paths = new Map(changed.map((entry) => [entry.path, entry]));
  const kept = home.entries.map((entry) => paths.get(entry.path) ?? entry);
  return { ...home, entries: [...kept, ...changed.filter(({ path }) => !find(home, path))] };
}

const OWNER = { uid: 0, gid: 0 };

function find({ entries }: Home, path: string): HomeEntry | undefined {
  return entries.find((entry) => entry.path === path);
}

function newEntry({ mtime }: Home): Omit<HomeEntry, 'path' | 'kind' | 'mode'> {
  return { ...OWNER, mtime, major: 0, minor: 0, attributes: [], target: '', content: NO_CONTENT };
}

async function textOf({ content }: HomeEntry, reader: Ext4Reader): Promise<string> {
  if (content.size > MAX_BYTES) throw unusableHome(`its ${FILE} is larger than 1 MiB`);
  if ('bytes' in content) return content.bytes.toString('latin1');
  const parts: Buffer[] = [];
  for await (const part of reader.content(content.inode)) parts.push(part);
  return Buffer.concat(parts).toString('latin1');
}

function withKey(text: string, { line, identity }: PublicKey): Buffer {
  const has = text.split('\n').some((one) => one === identity || one.startsWith(`${identity} `));
  const end = text === '' || text.endsWith('\n') ? '' : '\n';
  const added = has ? '' : `${end}${Buffer.from(line, 'utf8').toString('latin1')}\n`;
  return Buffer.from(`${text}${added}`, 'latin1');
}
