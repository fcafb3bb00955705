import { lstat, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { promisify } from 'node:util';
import { gunzip, zstdDecompress } from 'node:zlib';
import { messageOf } from '#base/errors.ts';
import { MiB } from '#base/sizes.ts';
import { isUserError } from '#contract/errors.ts';
import { findContainment, runContained } from '#ext4/containment.ts';
import { makeFilesystem } from '#ext4/make-filesystem.ts';
import { explainToolFailure } from '#ext4/tool-failure.ts';
import { readFileIfThere } from '#host/files.ts';
import { isXz, unpackXz } from '#hypervisor/unpack-xz.ts';
import {
  findBuiltInDrivers,
  missingDrivers,
  orderBootModules,
  parseBuiltIn,
  type ModuleIndex,
} from '../debian/boot-modules.ts';
import type { KernelImage } from './kernel-image.ts';
import { BOOT_MODULES_FOLDER, MODULES_FILE } from './kernel-files.ts';
import { unusableKernel } from './kernel-problem.ts';
import { copyModules } from './kernel-tree.ts';

const MAX_MODULE_BYTES = 64 * MiB;
const MODULE_FILE = /^[\w+-]+(?:\.[\w+-]+)*\.ko$/;

export interface ModulesTask {
  /** For messages: what was given, quoted. */
  what: string;
  kernel: Pick<KernelImage, 'release' | 'unpacked'>;
  /** Undefined: the kernel has none. */
  source: string | undefined;
  /** The kernel's folder that is being made. */
  folder: string;
  /** Within it, removed at the end. */
  workFolder: string;
  signal: AbortSignal;
}

/**
 * Makes the disk with all modules, and takes aside those that the initramfs loads.
 *
 * @throws UserError `KERNEL_INVALID`, `HOST_DISK_FULL`, `HOST_TOOL_MISSING`
 */
export async function makeModules(task: ModulesTask): Promise<void> {
  const { kernel, source, workFolder, signal } = task;
  const modules = `${workFolder}/lib/modules/${kernel.release}`;
  await mkdir(`${workFolder}/lib/modules`, { recursive: true, mode: 0o755 });
  if (source === undefined) await mkdir(modules);
  else await copyModules(source, modules, signal);
  await completeIndex(task);
  const index = await readIndex(modules, kernel.unpacked);
  const missing = missingDrivers(index);
  if (missing.length > 0) {
    const condition = `${kernel.release} has no ${missing.join(', ')}, neither built in nor as a module`;
    const hint =
      source === undefined
        ? 'give its modules with --modules FOLDER'
        : 'build it with virtio over MMIO and ext4';
    throw unusableKernel(task.what, condition, { hint, details: { missing } });
  }
  await takeBootModules(task, modules, orderBootModules(index));
  await makeModulesDisk(task, modules);
}

async function completeIndex({ what, kernel, workFolder, signal }: ModulesTask): Promise<void> {
  try {
    const containment = await findContainment({ signal });
    await runContained(containment, ['depmod', '--basedir', workFolder, kernel.release], { signal });
  } catch (error) {
    signal.throwIfAborted();
    const action = `read the modules of ${what}`;
    throw explainToolFailure(error, { action, code: 'KERNEL_INVALID', hint: 'see docs/kernels.md' });
  }
}

async function readIndex(modules: string, unpacked: Buffer | undefined): Promise<ModuleIndex> {
  const listed = await readFileIfThere(`${modules}/modules.builtin`);
  const index: ModuleIndex = {
    dependencies: await readFile(`${modules}/modules.dep`, 'utf8'),
    softDependencies: (await readFileIfThere(`${modules}/modules.softdep`)) ?? '',
    builtIn: parseBuiltIn(listed ?? ''),
  };
  if (missingDrivers(index).length === 0 || listed !== undefined || !unpacked) return index;
  return { ...index, builtIn: findBuiltInDrivers(unpacked) };
}

/** Copies the modules the initramfs needs, uncompressed, with their order in `modules.list`. */
async function takeBootModules(task: ModulesTask, modules: string, paths: readonly string[]): Promise<void> {
  const folder = `${task.folder}/${BOOT_MODULES_FOLDER}`;
  await mkdir(folder, { mode: 0o700 });
  const names: string[] = [];
  for (const path of paths) {
    const name = basename(path).replace(/\.ko\..*$/, '.ko');
    if (!MODULE_FILE.test(name)) throw unusableKernel(task.what, `a module has the name "${name}"`);
    const content = await readModule(`${modules}/${path}`, task);
    requireRelease(content, name, task);
    await writeFile(`${folder}/${name}`, content, { mode: 0o444 });
    names.push(name);
  }
  await writeFile(`${folder}/modules.list`, names.map((name) => `${name}\n`).join(''), { mode: 0o444 });
}

async function readModule(path: string, { what, workFolder, signal }: ModulesTask): Promise<Buffer> {
  const limit = { maxOutputLength: MAX_MODULE_BYTES };
  try {
    const { size } = await lstat(path);
    if (size > MAX_MODULE_BYTES) throw new Error(`it is larger than ${MAX_MODULE_BYTES} bytes`);
    const content = await readFile(path);
    if (path.endsWith('.zst')) return await promisify(zstdDecompress)(content, limit);
    if (path.endsWith('.gz')) return await promisify(gunzip)(content, limit);
    return isXz(content)
      ? await unpackXz(content, { workFolder, maxBytes: MAX_MODULE_BYTES, signal })
      : content;
  } catch (error) {
    signal.throwIfAborted();
    if (isUserError(error)) throw error;
    throw unusableKernel(what, `its module "${basename(path)}" cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** A kernel refuses modules that were built for another one. */
function requireRelease(module: Buffer, name: string, { what, kernel }: ModulesTask): void {
  const at = module.indexOf('vermagic=');
  const words = at < 0 ? '' : module.toString('latin1', at + 'vermagic='.length, at + 200);
  const release = words.split(/[ \0]/)[0];
  if (release === kernel.release) return;
  throw unusableKernel(
    what,
    release
      ? `it is ${kernel.release} and its module "${name}" is for ${release}`
      : `its "${name}" is no module`,
  );
}

async function makeModulesDisk({ folder, signal }: ModulesTask, modules: string): Promise<void> {
  const content = await contentBytes(modules);
  await makeFilesystem(
    {
      path: `${folder}/${MODULES_FILE}`,
      label: 'banger-modules',
      sizeBytes: roundUp(content * 1.1 + 8 * MiB, 4 * MiB),
      journalMiB: 0,
      source: { folder: modules },
      workFolder: folder,
    },
    { signal },
  );
}

/** What the files and folders take in blocks of 4 KiB. */
async function contentBytes(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true });
  let total = 0;
  for (const path of entries) total += roundUp((await lstat(`${folder}/${path}`)).size, 4096);
  return total;
}

function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}
