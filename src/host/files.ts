import {
  open,
  readdir,
  readFile,
  rename,
  rm,
  mkdir,
  chmod,
  lstat,
  stat,
  type FileHandle,
} from 'node:fs/promises';
import { dirname } from 'node:path';
import { randomBytes } from 'node:crypto';
import { systemErrorCode } from '#base/errors.ts';
import { ifThere } from '#base/if-there.ts';

/** Writes a file so that readers see the old content or the new one, also after a power cut. Mode 0600 unless told. */
export async function writeFileAtomic(
  path: string,
  content: string | Uint8Array,
  mode = 0o600,
): Promise<void> {
  const temporary = temporaryPathFor(path);
  try {
    const file = await open(temporary, 'wx', mode);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** A name beside `path` that says it is unfinished: `.<name>.<random>.partial`. */
export function temporaryPathFor(path: string): string {
  const slash = path.lastIndexOf('/');
  return `${path.slice(0, slash + 1)}.${path.slice(slash + 1)}.${randomBytes(4).toString('hex')}.partial`;
}

export function isTemporaryName(name: string): boolean {
  return /^\..+\.[0-9a-f]{8}\.partial$/.test(name);
}

/** Makes a rename or a new entry in the folder durable. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Makes the folder, 0700, and tightens one that is already there. */
export async function ensurePrivateFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  await chmod(path, 0o700);
}

export async function pathExists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT' || systemErrorCode(error) === 'ENOTDIR') return false;
    throw error;
  }
}

/** The text of a file, undefined when there is none. */
export async function readFileIfThere(path: string): Promise<string | undefined> {
  return ifThere(readFile(path, 'utf8'));
}

/** The names in a folder, none when there is no folder. */
export async function listFolderIfThere(path: string): Promise<string[]> {
  return (await ifThere(readdir(path))) ?? [];
}

/** Undefined when there is no such file. */
export async function sizeIfThere(path: string): Promise<number | undefined> {
  return (await ifThere(stat(path)))?.size;
}

/** Until all of it is written: a write may take less than it was given. */
export async function writeWhole(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}
