import { lstat, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { promisify } from 'node:util';
import { gunzip, zstdDecompress } from 'node:zlib';
import { MiB } from '#base/sizes.ts';
import { runCommand } from '#host/run-command.ts';
import { extractElfKernel } from '#hypervisor/elf-kernel.ts';
import { requireTools, BUILD_ENVIRONMENT } from '#ext4/build-tools.ts';
import { findContainment, runContained } from '#ext4/containment.ts';
import { makeFilesystem } from '#ext4/make-filesystem.ts';
import { syncFile } from '#ext4/sparse-file.ts';
import { explainToolFailure } from '#ext4/tool-failure.ts';
import type { Architecture } from '../architecture.ts';
import type { BuiltKernel, KernelBuilder } from '../builders.ts';
import type { WorkContext } from '../shared-work.ts';
import { KERNEL_FILE, UNCOMPRESSED_KERNEL_FILE } from '../kernel-files.ts';
import { orderBootModules } from './boot-modules.ts';
import { fetchKernelPackage } from './kernel-package.ts';

const ACTION = 'unpack the kernel package';

/** Debian's kernel for virtual machines, as its archive has it. */
export class DebianKernelBuilder implements KernelBuilder {
  readonly #cacheDir: string;
  readonly #architecture: Architecture;

  constructor(options: { cacheDir: string; architecture: Architecture }) {
    this.#cacheDir = options.cacheDir;
    this.#architecture = options.architecture;
  }

  async build(folder: string, context: WorkContext): Promise<BuiltKernel> {
    await requireTools(ACTION, 'dpkg-deb', 'depmod', 'setpriv');
    const metapackage = `linux-image-cloud-${this.#architecture.debian}`;
    const { name, version, debPath } = await fetchKernelPackage(metapackage, this.#cacheDir, context);
    const work = `${folder}/work`;
    context.report.detail(`unpacking ${name}`);
    const release = await unpack(debPath, work, context.signal);
    await takeKernelImage(`${work}/boot/vmlinuz-${release}`, folder);
    context.report.detail('making the modules disk');
    const modules = await findModulesFolder(work, release);
    await takeBootModules(modules, `${folder}/boot-modules`, context.signal);
    await makeModulesDisk(modules, folder, context.signal);
    await rm(work, { recursive: true });
    return { release, source: `${name} ${version}` };
  }
}

/** Unpacks the package and completes its module index; returns the kernel's release. */
async function unpack(debPath: string, work: string, signal: AbortSignal): Promise<string> {
  try {
    await mkdir(work, { mode: 0o700 });
    const containment = await findContainment({ signal });
    await runContained(containment, ['dpkg-deb', '--extract', debPath, work], { signal });
    const kernels = (await readdir(`${work}/boot`)).filter((name) => name.startsWith('vmlinuz-'));
    const [kernel, ...more] = kernels;
    if (kernel === undefined || more.length > 0)
      throw new Error(`the kernel package has ${kernels.length} kernels`);
    const release = kernel.slice('vmlinuz-'.length);
    const modules = await findModulesFolder(work, release);
    // depmod looks below lib/modules of the folder it is given, wherever the package has them.
    const base = modules.slice(0, -`/lib/modules/${release}`.length);
    await runContained(containment, ['depmod', '--basedir', base, release], { signal });
    return release;
  } catch (error) {
    signal.throwIfAborted();
    const hint = 'run the command again; if it fails again, delete the cache folder';
    throw explainToolFailure(error, { action: ACTION, code: 'KERNEL_FETCH_FAILED', hint });
  }
}

async function findModulesFolder(work: string, release: string): Promise<string> {
  // Debian 13 and later ship the modules below /usr/lib.
  for (const base of [`${work}/usr/lib/modules`, `${work}/lib/modules`]) {
    const found = await readdir(base).catch((): string[] => []);
    if (found.includes(release)) return `${base}/${release}`;
  }
  throw new Error(`the kernel package has no modules for "${release}"`);
}

/** `vmlinuz` as it is, and beside it what is packed in it, where that can be started directly. */
async function takeKernelImage(source: string, folder: string): Promise<void> {
  const image = await readFile(source);
  await writeKernel(`${folder}/${KERNEL_FILE}`, image);
  const elf = extractElfKernel(image);
  if (elf) await writeKernel(`${folder}/${UNCOMPRESSED_KERNEL_FILE}`, elf);
}

async function writeKernel(path: string, content: Buffer): Promise<void> {
  await writeFile(path, content, { mode: 0o444 });
  await syncFile(path);
}

/** Copies the modules the initramfs needs, uncompressed, with their order in `modules.list`. */
async function takeBootModules(modules: string, folder: string, signal: AbortSignal): Promise<void> {
  const dependencies = await readFile(`${modules}/modules.dep`, 'utf8');
  const builtIn = await readFile(`${modules}/modules.builtin`, 'utf8');
  const paths = orderBootModules(dependencies, builtIn);
  await mkdir(folder, { mode: 0o700 });
  const names = await Promise.all(
    paths.map(async (path) => {
      const name = basename(path).replace(/\.ko\..*$/, '.ko');
      await writeFile(`${folder}/${name}`, await readModule(`${modules}/${path}`, signal), { mode: 0o444 });
      return name;
    }),
  );
  await writeFile(`${folder}/modules.list`, names.map((name) => `${name}\n`).join(''), { mode: 0o444 });
}

async function readModule(path: string, signal: AbortSignal): Promise<Uint8Array> {
  const content = await readFile(path);
  if (path.endsWith('.zst')) return promisify(zstdDecompress)(content);
  if (path.endsWith('.gz')) return promisify(gunzip)(content);
  if (!path.endsWith('.xz')) return content;
  await requireTools(ACTION, 'xz');
  const plain = path.slice(0, -'.xz'.length);
  await runCommand('xz', ['--decompress', '--keep', path], { signal, env: BUILD_ENVIRONMENT });
  const bytes = await readFile(plain);
  await rm(plain);
  return bytes;
}

async function makeModulesDisk(modules: string, folder: string, signal: AbortSignal): Promise<void> {
  const content = await contentBytes(modules);
  await makeFilesystem(
    {
      path: `${folder}/modules.ext4`,
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
  const sizes = await Promise.all(entries.map(async (path) => (await lstat(`${folder}/${path}`)).size));
  return sizes.reduce((sum, size) => sum + roundUp(size, 4096), 0);
}

function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}
