import type { WorkContext } from './shared-work.ts';
import type { Recipe } from './recipes.ts';

/** Makes `rootfs.ext4` of a recipe in a folder that is thrown away when it rejects. */
export interface ImageBuilder {
  build(recipe: Recipe, folder: string, context: WorkContext): Promise<void>;
}

export interface BuiltKernel {
  /** As `uname -r` says in the guest. */
  release: string;
  /** `linux-image-6.1.0-40-cloud-amd64 6.1.153-1` */
  source: string;
}

/** Makes `vmlinuz`, `modules.ext4` and `boot-modules/` in a folder that is thrown away when it rejects. */
export interface KernelBuilder {
  build(folder: string, context: WorkContext): Promise<BuiltKernel>;
}
