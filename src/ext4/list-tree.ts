import { rm, writeFile } from 'node:fs/promises';
import type { Abortable } from '#base/abort.ts';
import { UserError } from '#contract/errors.ts';
import { runCommand } from '#host/run-command.ts';
import { BUILD_ENVIRONMENT } from './build-tools.ts';

export interface TreeEntry {
  /** `/bin/su` */
  path: string;
  inode: number;
  /** Type and permissions, as stat(2) has them. */
  mode: number;
}

const FOLDER = 0o040000;
const TYPE_MASK = 0o170000;
const ENTRY = /^\/(\d+)\/(\d+)\/\d+\/\d+\/(.+)\/\d*\/$/;
/** A place in a folder that holds no entry, as in a new lost+found. */
const UNUSED = '/0/000000/0/0//0/';
const COMMAND = /^debugfs: {1,2}ls -p "(.*)"$/;

/**
 * Everything in an ext4 image, read without mounting it.
 *
 * @throws UserError `IMAGE_SOURCE_INVALID` for names that debugfs cannot be asked about, or that no kernel makes
 */
export async function listTree(
  imagePath: string,
  { workFolder, signal }: Abortable & { workFolder: string },
): Promise<TreeEntry[]> {
  const entries: TreeEntry[] = [];
  let folders = ['/'];
  while (folders.length > 0) {
    const level = await listFolders(imagePath, folders, { workFolder, signal });
    entries.push(...level);
    folders = level.filter(({ mode }) => (mode & TYPE_MASK) === FOLDER).map(({ path }) => path);
  }
  return entries;
}

async function listFolders(
  imagePath: string,
  folders: readonly string[],
  { workFolder, signal }: Abortable & { workFolder: string },
): Promise<TreeEntry[]> {
  const commands = `${workFolder}/list-commands`;
  await writeFile(commands, folders.map((folder) => `ls -p "${folder}"\n`).join(''));
  const { stdout } = await runCommand('debugfs', ['-f', commands, imagePath], {
    signal,
    env: BUILD_ENVIRONMENT,
  });
  await rm(commands);
  return parseListing(stdout, folders);
}

/**
 * What `ls -p` of several folders printed, with debugfs's echo of each command. Whoever made the image chose the names: what could
 * be read in two ways, or names something outside, is refused.
 *
 * @throws UserError `IMAGE_SOURCE_INVALID`
 */
export function parseListing(text: string, asked: readonly string[]): TreeEntry[] {
  const entries: TreeEntry[] = [];
  const seen = new Set<string>();
  const unseenFolders = new Set(asked);
  let folder: string | undefined;
  for (const line of text.split('\n')) {
    const command = COMMAND.exec(line)?.[1];
    if (line === '' || line === UNUSED) continue;
    if (command !== undefined) {
      if (!unseenFolders.delete(command)) throw unreadable(line);
      folder = command;
      continue;
    }
    const entry = parseEntry(line, folder);
    if (!entry || seen.has(entry.path)) throw unreadable(line);
    seen.add(entry.path);
    if (!/\/\.\.?$/.test(entry.path)) entries.push(entry);
  }
  return entries;
}

function parseEntry(line: string, folder: string | undefined): TreeEntry | undefined {
  const [, inode, mode, name] = ENTRY.exec(line) ?? [];
  if (inode === undefined || mode === undefined || name === undefined || folder === undefined)
    return undefined;
  if (/["\\/]/.test(name)) return undefined; // debugfs cannot be asked about the first two
  const path = `${folder === '/' ? '' : folder}/${name}`;
  return { path, inode: Number(inode), mode: Number.parseInt(mode, 8) };
}

function unreadable(line: string): UserError {
  return new UserError(
    'IMAGE_SOURCE_INVALID',
    `Cannot read the file system: it has a file name that cannot be told apart (${JSON.stringify(line.slice(0, 200))})`,
    { hint: 'names with quotes, backslashes or line breaks cannot be exported' },
  );
}
