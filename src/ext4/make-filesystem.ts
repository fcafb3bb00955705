import { chmod, rm } from 'node:fs/promises';
import type { Abortable } from '#base/abort.ts';
import { requireTools } from './build-tools.ts';
import { findContainment, runContained } from './containment.ts';
import { mke2fsArguments, type FilesystemShape } from './mke2fs-arguments.ts';
import {
  choosePopulateMethod,
  lacksLibarchive,
  probeAbilities,
  type PopulateMethod,
} from './populate-method.ts';
import { setAttributes } from './set-attributes.ts';
import { createSparseFile, syncFile } from './sparse-file.ts';
import { readTarAttributes } from './tar-attributes.ts';
import { explainToolFailure } from './tool-failure.ts';

export interface FilesystemSpec extends FilesystemShape {
  /** The file to make; its folder exists. It ends read-only (0444) and on the disk. */
  path: string;
  sizeBytes: number;
  /** A tar with numeric owners, or a folder whose files all shall belong to root. */
  source: { tar: string } | { folder: string };
  /** Exists; may be used for an unpacked copy, which is the caller's to remove when the build is ended half way. */
  workFolder: string;
}

export interface FilesystemOptions extends Abortable {
  /** Instead of the best one this host can do. */
  method?: PopulateMethod;
}

// The texts are fixed; names arrive as arguments, so nothing in them is ever read by the shell.
const EXTRACT_AND_MAKE =
  'mkdir "$2" && tar --extract --file "$1" --directory "$2" --numeric-owner --same-owner --same-permissions && ' +
  'shift 2 && exec mke2fs "$@"';
const MAKE = 'exec mke2fs "$@"';

/**
 * Makes an ext4 file system in a sparse file, without root.
 *
 * @throws UserError `HOST_TOOL_MISSING`, `HOST_DISK_FULL`, `DISK_TOO_SMALL`, `IMAGE_BUILD_FAILED`
 */
export async function makeFilesystem(spec: FilesystemSpec, options: FilesystemOptions = {}): Promise<void> {
  const { signal } = options;
  const action = `make the file system "${spec.path}"`;
  await requireTools(action, 'mke2fs', 'debugfs', 'setpriv', 'tar');
  const method = options.method ?? choosePopulateMethod(await probeAbilities(spec.workFolder, { signal }));
  try {
    await populate(spec, method, options);
    await chmod(spec.path, 0o444);
    await syncFile(spec.path);
  } catch (error) {
    signal?.throwIfAborted();
    throw explainToolFailure(error, { action, ...reasonFor(error) });
  }
}

async function populate(spec: FilesystemSpec, method: PopulateMethod, { signal }: Abortable): Promise<void> {
  try {
    await createSparseFile(spec.path, spec.sizeBytes);
    if ('folder' in spec.source) await fromFolder(spec, spec.source.folder, { signal });
    else if (method === 'tar')
      await mke2fs([], MAKE, mke2fsArguments(spec, spec.source.tar, spec.path), signal);
    else await fromExtractedTar(spec, spec.source.tar, { signal, method });
  } catch (error) {
    await rm(spec.path, { force: true });
    if (method !== 'tar' || !lacksLibarchive(error)) throw error;
    await populate(spec, process.getuid?.() === 0 ? 'root' : 'fakeroot', { signal });
  }
}

async function fromFolder(spec: FilesystemSpec, folder: string, { signal }: Abortable): Promise<void> {
  await mke2fs(await asRoot(spec), MAKE, mke2fsArguments(spec, folder, spec.path), signal);
}

async function fromExtractedTar(
  spec: FilesystemSpec,
  tar: string,
  { signal, method }: FilesystemOptions,
): Promise<void> {
  const folder = `${spec.workFolder}/unpacked`;
  const prefix = method === 'root' ? [] : await fakeroot(spec);
  // One process tree for both: what fakeroot remembers ends with it.
  await mke2fs(prefix, EXTRACT_AND_MAKE, [tar, folder, ...mke2fsArguments(spec, folder, spec.path)], signal);
  await rm(folder, { recursive: true });
  // Not by tar: it makes a file that has attributes with mknod(2) and no type, which fakeroot takes for no file at all.
  await setAttributes(
    await readTarAttributes(tar),
    { imagePath: spec.path, workFolder: spec.workFolder },
    { signal },
  );
}

async function asRoot(spec: FilesystemSpec): Promise<readonly string[]> {
  return process.getuid?.() === 0 ? [] : fakeroot(spec);
}

async function fakeroot(spec: FilesystemSpec): Promise<readonly string[]> {
  await requireTools(`make the file system "${spec.path}" without root`, 'fakeroot');
  return ['fakeroot', '--'];
}

async function mke2fs(
  prefix: readonly string[],
  script: string,
  args: readonly string[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const containment = await findContainment({ signal });
  await runContained(containment, [...prefix, 'sh', '-c', script, 'sh', ...args], { signal });
}

function reasonFor(error: unknown): { code: 'DISK_TOO_SMALL' | 'IMAGE_BUILD_FAILED'; hint: string } {
  if (/could not allocate (?:block|inode)/i.test(String(error))) {
    return { code: 'DISK_TOO_SMALL', hint: 'give it a larger size' };
  }
  return { code: 'IMAGE_BUILD_FAILED', hint: 'see the last lines of the tool in the details' };
}
