import { chmod, rm } from 'node:fs/promises';
import type { Abortable } from '#base/abort.ts';
import { requireTools } from './build-tools.ts';
import { mke2fsArguments, type FilesystemShape } from './mke2fs-arguments.ts';
import {
  choosePopulateMethod,
  lacksLibarchive,
  probeAbilities,
  type PopulateMethod,
} from './populate-method.ts';
import type { DebugfsTarget } from './run-debugfs.ts';
import { runMake } from './run-make.ts';
import { setAttributes } from './set-attributes.ts';
import { setRootFolder } from './set-root-folder.ts';
import { createSparseFile, syncFile } from './sparse-file.ts';
import { readTarAttributes } from './tar-attributes.ts';
import type { TarStream } from './tar-stream.ts';
import { explainToolFailure } from './tool-failure.ts';
import type { FileTree } from './writer/file-tree.ts';
import { writeTree } from './writer/write-tree.ts';

export interface FilesystemSpec extends FilesystemShape {
  /** The file to make; its folder exists. It ends read-only (0444) and on the disk. */
  path: string;
  sizeBytes: number;
  /** A tar with numeric owners, a tree of files, or a folder whose files all shall belong to root. */
  source: { tar: string } | { tarStream: TarStream } | { tree: FileTree } | { folder: string };
  /** Exists; may be used for an unpacked copy, which is the caller's to remove when the build is ended half way. */
  workFolder: string;
}

export interface FilesystemOptions extends Abortable {
  /** Instead of the best one this host can do. */
  method?: PopulateMethod;
}

type TarSource = Extract<FilesystemSpec['source'], { tar: string } | { tarStream: TarStream }>;

const STDIN = '-';

// The texts are fixed; names arrive as arguments, so nothing in them is ever read by the shell.
// Folders get their modes and times last: a merged tar has what is in them much later than themselves.
const EXTRACT_AND_MAKE =
  'mkdir "$2" && tar --extract --file "$1" --directory "$2" --numeric-owner --same-owner --same-permissions ' +
  '--delay-directory-restore && shift 2 && exec mke2fs "$@"';
const MAKE = 'exec mke2fs "$@"';
// Not by Node, which needs 150 MiB of memory for 100,000 files.
const REMOVE = 'exec rm -rf --one-file-system -- "$1"';

/**
 * Makes an ext4 file system in a sparse file, without root.
 *
 * @throws UserError `HOST_TOOL_MISSING`, `HOST_DISK_FULL`, `DISK_TOO_SMALL`, `IMAGE_BUILD_FAILED`
 */
export async function makeFilesystem(spec: FilesystemSpec, options: FilesystemOptions = {}): Promise<void> {
  const { signal } = options;
  const action = `make the file system "${spec.path}"`;
  await requireTools(action, 'mke2fs', 'debugfs', 'setpriv', 'tar');
  try {
    await fill(spec, options);
    await chmod(spec.path, 0o444);
    await syncFile(spec.path);
  } catch (error) {
    await rm(spec.path, { force: true });
    signal?.throwIfAborted();
    throw explainToolFailure(error, { action, ...reasonFor(error) });
  }
}

async function fill(spec: FilesystemSpec, options: FilesystemOptions): Promise<void> {
  const { source } = spec;
  if ('tree' in source) await fromTree(spec, source.tree, options);
  else if ('folder' in source) await fromFolder(spec, source.folder, options);
  else {
    await populate(spec, source, { ...options, method: await methodFor(spec, options) });
    await complete(spec, source, options);
  }
}

async function methodFor(
  { workFolder }: FilesystemSpec,
  { method, signal }: FilesystemOptions,
): Promise<PopulateMethod> {
  return method ?? choosePopulateMethod(await probeAbilities(workFolder, { signal }));
}

/** Without unpacking anything on the host: mke2fs makes it empty, and what is in it is written from here. */
async function fromTree(spec: FilesystemSpec, tree: FileTree, { signal }: Abortable): Promise<void> {
  await createSparseFile(spec.path, spec.sizeBytes);
  await runMake({ prefix: [], script: MAKE, args: mke2fsArguments(spec, undefined, spec.path), signal });
  await writeTree(spec.path, tree, { signal });
  await setAttributes([...tree.attributes()], targetOf(spec), { signal });
}

async function populate(
  spec: FilesystemSpec,
  source: TarSource,
  { method, signal }: Abortable & { method: PopulateMethod },
): Promise<void> {
  try {
    await createSparseFile(spec.path, spec.sizeBytes);
    if (method === 'tar') await fromTar(spec, source, { signal });
    else await fromExtractedTar(spec, source, { signal, method });
  } catch (error) {
    await rm(spec.path, { force: true });
    if (method !== 'tar' || !lacksLibarchive(error)) throw error;
    await populate(spec, source, { method: process.getuid?.() === 0 ? 'root' : 'fakeroot', signal });
  }
}

async function fromFolder(spec: FilesystemSpec, folder: string, { signal }: Abortable): Promise<void> {
  await createSparseFile(spec.path, spec.sizeBytes);
  const prefix = process.getuid?.() === 0 ? [] : await fakeroot(spec);
  await runMake({ prefix, script: MAKE, args: mke2fsArguments(spec, folder, spec.path), signal });
}

async function fromTar(spec: FilesystemSpec, source: TarSource, { signal }: Abortable): Promise<void> {
  const args = mke2fsArguments(spec, 'tar' in source ? source.tar : STDIN, spec.path);
  await runMake({ prefix: [], script: MAKE, args, signal, ...streamOf(source) });
}

async function fromExtractedTar(
  spec: FilesystemSpec,
  source: TarSource,
  { signal, method }: FilesystemOptions,
): Promise<void> {
  const folder = `${spec.workFolder}/unpacked`;
  // What comes as a stream comes from strangers: no device of theirs is ever made on the host, nor a setuid file of root's.
  const prefix = method === 'root' && 'tar' in source ? [] : await fakeroot(spec);
  const tar = 'tar' in source ? source.tar : STDIN;
  const args = [tar, folder, ...mke2fsArguments(spec, folder, spec.path)];
  // One process tree for both: what fakeroot remembers ends with it.
  await runMake({ prefix, script: EXTRACT_AND_MAKE, args, signal, ...streamOf(source) });
  await runMake({ prefix: [], script: REMOVE, args: [folder], signal });
}

/** What no way of unpacking keeps in full: mke2fs 1.47.2 has of the attributes only capabilities, and none sees to the root folder. */
async function complete(spec: FilesystemSpec, source: TarSource, { signal }: Abortable): Promise<void> {
  // Not by tar: it makes a file that has attributes with mknod(2) and no type, which fakeroot takes for no file at all.
  const attributes =
    'tar' in source ? await readTarAttributes(source.tar) : [...source.tarStream.attributes()];
  await setAttributes(attributes, targetOf(spec), { signal });
  if ('tarStream' in source) await setRootFolder(source.tarStream.root, targetOf(spec), { signal });
}

const targetOf = ({ path, workFolder }: FilesystemSpec): DebugfsTarget => ({ imagePath: path, workFolder });

async function fakeroot(spec: FilesystemSpec): Promise<readonly string[]> {
  await requireTools(`make the file system "${spec.path}" without root`, 'fakeroot');
  return ['fakeroot', '--'];
}

function streamOf(source: TarSource): { tarStream?: TarStream } {
  return 'tar' in source ? {} : { tarStream: source.tarStream };
}

function reasonFor(error: unknown): { code: 'DISK_TOO_SMALL' | 'IMAGE_BUILD_FAILED'; hint: string } {
  if (/could not allocate (?:block|inode)/i.test(String(error))) {
    return { code: 'DISK_TOO_SMALL', hint: 'give it a larger size' };
  }
  return { code: 'IMAGE_BUILD_FAILED', hint: 'see the last lines of the tool in the details' };
}
