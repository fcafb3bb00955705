import { rm } from 'node:fs/promises';
import type { Architecture } from '../architecture.ts';
import type { BuiltKernel, KernelBuilder, KernelOrder } from '../builders.ts';
import { assembleKernel } from '../kernel/kernel-assembly.ts';
import { kernelMetapackage } from '../kernel/kernel-recipes.ts';
import { findKernelFile, findModulesFolder } from '../kernel/kernel-tree.ts';
import type { WorkContext } from '../shared-work.ts';
import { fetchKernelPackage } from './kernel-package.ts';
import { unpackPackage } from './kernel-unpack.ts';

/** Debian's kernel for virtual machines, as its archive has it. */
export class DebianKernelBuilder implements KernelBuilder {
  readonly #cacheDir: string;
  readonly #architecture: Architecture;

  constructor(options: { cacheDir: string; architecture: Architecture }) {
    this.#cacheDir = options.cacheDir;
    this.#architecture = options.architecture;
  }

  async build(folder: string, context: WorkContext, order: KernelOrder): Promise<BuiltKernel> {
    const architecture = this.#architecture;
    const wanted = { metapackage: kernelMetapackage(architecture), ...order };
    const { name, version, debPath } = await fetchKernelPackage(wanted, this.#cacheDir, context);
    const tree = `${folder}/package`;
    const what = `the package ${name}`;
    context.report.detail(`unpacking ${name}`);
    const hint = 'run the command again; if it fails again, delete the cache folder';
    await unpackPackage(debPath, tree, { what, code: 'KERNEL_FETCH_FAILED', hint, signal: context.signal });
    const parts = {
      what,
      imagePath: await findKernelFile(tree, what),
      findModules: (release: string) => findModulesFolder(tree, release, what),
      architecture,
    };
    const assembled = await assembleKernel(parts, folder, context);
    await rm(tree, { recursive: true });
    return { ...assembled, source: `${name} ${version}` };
  }
}
