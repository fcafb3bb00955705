import { constants } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import type { Architecture } from '../architecture.ts';
import type { BuiltKernel } from '../builders.ts';
import { unpackPackage } from '../debian/kernel-unpack.ts';
import { assembleKernel, type KernelParts } from './kernel-assembly.ts';
import { explainUnreadable } from './kernel-problem.ts';
import { findKernelFile, findModulesFolder, isFolder, resolveModulesFolder } from './kernel-tree.ts';
import type { WorkContext } from '../shared-work.ts';

export interface KernelGift {
  /** A bzImage, an ELF image, a Debian package, or a folder. */
  path: string;
  modules?: string | undefined;
}

type Found = Pick<KernelParts, 'imagePath' | 'findModules'>;

const DEB_MAGIC = '!<arch>\n';

/** Makes kernels of what users have. */
export class KernelImporter {
  readonly #architecture: Architecture;

  constructor(architecture: Architecture) {
    this.#architecture = architecture;
  }

  /** @throws UserError `KERNEL_INVALID`, `HOST_TOOL_MISSING`, `HOST_DISK_FULL`; the signal's reason */
  async build(gift: KernelGift, folder: string, context: WorkContext): Promise<BuiltKernel> {
    try {
      return await this.#build(gift, folder, context);
    } catch (error) {
      throw explainUnreadable(error, `"${gift.path}"`);
    }
  }

  async #build(gift: KernelGift, folder: string, context: WorkContext): Promise<BuiltKernel> {
    const what = `"${gift.path}"`;
    const tree = `${folder}/package`;
    const found = await this.#find(gift, tree, context);
    const { modules } = gift;
    const findModules =
      modules === undefined ? found.findModules : (release: string) => resolveModulesFolder(modules, release);
    const parts = { what, ...found, findModules, architecture: this.#architecture };
    const assembled = await assembleKernel(parts, folder, context);
    await rm(tree, { recursive: true, force: true });
    return { ...assembled, source: `import:${gift.path}` };
  }

  async #find({ path }: KernelGift, tree: string, context: WorkContext): Promise<Found> {
    if (await isFolder(path)) return inTree(path, `"${path}"`);
    if ((await readMagic(path)) !== DEB_MAGIC) return { imagePath: path, findModules: async () => undefined };
    context.report.detail('unpacking the package');
    const hint = 'it should be a package such as linux-image-6.1.0-40-cloud-amd64';
    const what = `"${path}"`;
    await unpackPackage(path, tree, { what, code: 'KERNEL_INVALID', hint, signal: context.signal });
    return inTree(tree, what);
  }
}

async function inTree(tree: string, what: string): Promise<Found> {
  const imagePath = await findKernelFile(tree, what);
  return { imagePath, findModules: (release) => findModulesFolder(tree, release, what) };
}

async function readMagic(path: string): Promise<string> {
  try {
    // O_NONBLOCK: opening a pipe would wait for somebody to write to it.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    if (!(await file.stat()).isFile()) return ''; // what it is instead is said where it is read
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(DEB_MAGIC.length), position: 0 });
    return buffer.toString('latin1', 0, bytesRead);
  } catch (error) {
    throw explainUnreadable(error, `"${path}"`);
  }
}
