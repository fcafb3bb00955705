import { link, mkdir, rm, writeFile } from 'node:fs/promises';
import { requireTools } from '#ext4/build-tools.ts';
import { syncFile } from '#ext4/sparse-file.ts';
import type { Architecture } from '../architecture.ts';
import type { BuiltKernel } from '../builders.ts';
import { readTimerHz } from './kernel-config.ts';
import { KERNEL_FILE, UNCOMPRESSED_KERNEL_FILE } from './kernel-files.ts';
import { readKernelImage, type KernelImage } from './kernel-image.ts';
import { makeModules } from './kernel-modules.ts';
import { readKernelFile } from './kernel-tree.ts';
import type { WorkContext } from '../shared-work.ts';

export interface KernelParts {
  /** For messages: what was given, quoted. */
  what: string;
  imagePath: string;
  /** Where its modules are, undefined when it has none. */
  findModules: (release: string) => Promise<string | undefined>;
  architecture: Architecture;
}

/** What a kernel's files say of it. */
export type AssembledKernel = Pick<BuiltKernel, 'release' | 'timerHz'>;

/**
 * Makes all files of a kernel of its image and modules.
 *
 * @throws UserError `KERNEL_INVALID`, `HOST_TOOL_MISSING`, `HOST_DISK_FULL`; the signal's reason
 */
export async function assembleKernel(
  { what, imagePath, findModules, architecture }: KernelParts,
  folder: string,
  { signal, report }: WorkContext,
): Promise<AssembledKernel> {
  await requireTools('take the kernel apart', 'depmod', 'setpriv');
  const workFolder = `${folder}/assembly`;
  await mkdir(workFolder, { mode: 0o700 });
  report.detail('reading the kernel');
  const image = await readKernelFile(imagePath);
  const kernel = await readKernelImage(image, {
    name: imagePath,
    architecture: architecture.name,
    workFolder,
    signal,
  });
  const source = await findModules(kernel.release);
  report.detail('making the modules disk');
  await makeModules({ what, kernel, source, folder, workFolder, signal });
  await writeKernels(kernel, folder);
  await rm(workFolder, { recursive: true });
  const timerHz = await readTimerHz(imagePath, kernel.release);
  return { release: kernel.release, ...(timerHz !== undefined && { timerHz }) };
}

/** As it came, and beside it what is packed in it, where that can be started directly. */
async function writeKernels({ image, unpacked, isStartable }: KernelImage, folder: string): Promise<void> {
  const path = `${folder}/${KERNEL_FILE}`;
  await writeKernel(path, image);
  if (unpacked === undefined || !isStartable) return;
  const unpackedPath = `${folder}/${UNCOMPRESSED_KERNEL_FILE}`;
  if (unpacked === image) await link(path, unpackedPath);
  else await writeKernel(unpackedPath, unpacked);
}

async function writeKernel(path: string, content: Buffer): Promise<void> {
  await writeFile(path, content, { mode: 0o444 });
  await syncFile(path);
}
