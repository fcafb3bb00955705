import { constants } from 'node:fs';
import { chmod, copyFile, lstat, mkdir, open, readdir } from 'node:fs/promises';
import { systemErrorCode } from '#base/errors.ts';
import { formatSize, GiB } from '#base/sizes.ts';
import { MAX_KERNEL_BYTES } from '#hypervisor/elf-kernel.ts';
import { explainUnreadable, unusableKernel } from './kernel-problem.ts';

/** What a folder of modules may hold; Debian's largest has 5,000 files in 500 MB. */
export const MAX_MODULES_BYTES = 4 * GiB;
const MAX_MODULE_FILES = 100_000;
const KERNEL_NAME = /^(?:vmlinuz|vmlinux|bzImage|Image)(?:-.+)?$/;
/** The first that is there is taken: what a distribution ships says more of itself than what is packed in it. */
const PREFERENCE = ['vmlinuz', 'bzImage', 'Image', 'vmlinux'];

/**
 * The kernel of a folder, at its top or in `boot/`. Links are not followed: a package may have been made by anybody.
 *
 * @throws UserError `KERNEL_INVALID`
 */
export async function findKernelFile(folder: string, what: string): Promise<string> {
  for (const place of [folder, `${folder}/boot`]) {
    if (!(await isRealFolder(place))) continue;
    const entries = await readdir(place, { withFileTypes: true });
    const names = entries
      .filter((entry) => entry.isFile() && KERNEL_NAME.test(entry.name))
      .map(({ name }) => name);
    const kinds = PREFERENCE.map((kind) => names.filter((name) => name.split('-')[0] === kind));
    const [name, ...others] = kinds.find((found) => found.length > 0) ?? [];
    if (others.length > 0)
      throw unusableKernel(what, `it has several kernels: ${[name, ...others].join(', ')}`, {
        hint: 'give the file of one of them, and --modules',
      });
    if (name !== undefined) return `${place}/${name}`;
  }
  throw unusableKernel(what, 'it has no vmlinuz, bzImage or vmlinux, neither at its top nor in boot/');
}

/**
 * Where a folder has the modules of this release, undefined when it has none at all.
 *
 * @throws UserError `KERNEL_INVALID` when it has only those of another release
 */
export async function findModulesFolder(
  folder: string,
  release: string,
  what: string,
): Promise<string | undefined> {
  const bases = ['usr/lib/modules', 'lib/modules', 'modules'];
  const others: string[] = [];
  for (const base of bases) {
    const path = await realFolderBelow(folder, base);
    if (path === undefined) continue;
    if (await isRealFolder(`${path}/${release}`)) return `${path}/${release}`;
    if (await isRealFolder(`${path}/kernel`)) return path;
    others.push(...(await readdir(path)));
  }
  if (others.length === 0) return undefined;
  throw unusableKernel(what, `it is ${release} and the modules beside it are for ${others.join(', ')}`);
}

/** What `--modules` may name: the folder itself, or one that it is in. */
export async function resolveModulesFolder(folder: string, release: string): Promise<string> {
  const inside = [
    `${folder}/${release}`,
    `${folder}/lib/modules/${release}`,
    `${folder}/usr/lib/modules/${release}`,
  ];
  for (const path of inside) if (await isRealFolder(path)) return path;
  if (await isFolder(folder)) return folder;
  throw unusableKernel(`"${folder}"`, 'it is not a folder with modules');
}

/**
 * Copies folders and files, and nothing else: no link leads out of the copy.
 *
 * @throws UserError `KERNEL_INVALID` when there is too much of it
 */
export async function copyModules(source: string, target: string, signal: AbortSignal): Promise<void> {
  const total = { bytes: 0, files: 0 };
  const copy = async (from: string, to: string): Promise<void> => {
    signal.throwIfAborted();
    await mkdir(to);
    await chmod(to, 0o755); // for the guest's users, whatever the umask here
    for (const entry of await readdir(from, { withFileTypes: true })) {
      const path = `${from}/${entry.name}`;
      total.files += 1;
      if (entry.isFile()) total.bytes += (await lstat(path)).size;
      if (total.bytes > MAX_MODULES_BYTES || total.files > MAX_MODULE_FILES) throw tooMuch(source);
      if (entry.isDirectory()) await copy(path, `${to}/${entry.name}`);
      else if (entry.isFile()) await copyModule(path, `${to}/${entry.name}`);
    }
  };
  await copy(source, target);
}

async function copyModule(from: string, to: string): Promise<void> {
  await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  await chmod(to, 0o644);
}

/** @throws UserError `KERNEL_INVALID` when it is no file, or larger than a kernel can be */
export async function readKernelFile(path: string): Promise<Buffer> {
  const what = `"${path}"`;
  try {
    // O_NONBLOCK: opening a pipe would wait for somebody to write to it.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stat = await file.stat();
    if (!stat.isFile()) throw unusableKernel(what, 'it is not a file');
    if (stat.size > MAX_KERNEL_BYTES)
      throw unusableKernel(what, `it is larger than ${formatSize(MAX_KERNEL_BYTES)}`);
    return await file.readFile();
  } catch (error) {
    throw explainUnreadable(error, what);
  }
}

export async function isFolder(path: string): Promise<boolean> {
  return isRealFolder(`${path}/.`);
}

async function realFolderBelow(root: string, path: string): Promise<string | undefined> {
  let at = root;
  for (const part of path.split('/')) {
    at = `${at}/${part}`;
    if (!(await isRealFolder(at))) return undefined;
  }
  return at;
}

async function isRealFolder(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isDirectory();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemErrorCode(error) ?? '')) return false;
    throw error;
  }
}

function tooMuch(source: string): Error {
  return unusableKernel(
    `"${source}"`,
    `its modules are more than ${formatSize(MAX_MODULES_BYTES)} or ${MAX_MODULE_FILES} files`,
  );
}
