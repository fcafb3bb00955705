import type { PrunedCache, RunConfig } from '#contract/owner/image.ts';
import type { BundleManifest } from './bundle/bundle-manifest.ts';
import type { BundleEntry } from './catalog/entry.ts';
import type { KernelRecipe } from './kernel/kernel-recipes.ts';
import type { WorkContext } from './shared-work.ts';
import type { Recipe } from './recipes.ts';

/** Makes `rootfs.ext4` of a recipe in a folder that is thrown away when it rejects. */
export interface ImageBuilder {
  build(recipe: Recipe, folder: string, context: WorkContext): Promise<void>;
}

export interface PullRequest {
  reference: string;
  /** Of the file system. */
  sizeBytes?: number | undefined;
  /** At least, where none is given. */
  leastBytes?: number | undefined;
  /** Without encryption, from a registry on this machine. */
  insecureHttp?: boolean | undefined;
}

export interface PulledImage {
  /** In full: `docker.io/library/alpine:latest`. */
  reference: string;
  /** Of the manifest. */
  digest: string;
  config: RunConfig;
}

/** Makes `rootfs.ext4` of what a registry has, in a folder that is thrown away when it rejects. */
export interface ImagePuller {
  isReference(text: string): boolean;
  pull(request: PullRequest, folder: string, context: WorkContext): Promise<PulledImage>;
  /** The digest that {@link pull} would answer with now. */
  findDigest(request: PullRequest, context: WorkContext): Promise<string>;
  /** Removes downloads that nothing uses at the moment. */
  prune(options: { dryRun: boolean }): Promise<PrunedCache>;
}

export interface UnpackedBundle {
  manifest: BundleManifest;
  /** Of the packed file. */
  digest: string;
}

/** Makes `rootfs.ext4` of a bundle that a catalog names, in a folder that is thrown away when it rejects. */
export interface BundlePuller {
  pull(entry: BundleEntry, folder: string, context: WorkContext): Promise<UnpackedBundle>;
  /** Removes downloads that nothing uses at the moment. */
  prune(options: { dryRun: boolean }): Promise<PrunedCache>;
}

export interface BuiltKernel {
  /** As `uname -r` says in the guest. */
  release: string;
  /** Its ticks in a second, where its configuration says so. */
  timerHz?: number;
  /** `linux-image-6.1.0-40-cloud-amd64 6.1.153-1` */
  source: string;
}

/** Makes `vmlinuz`, `modules.ext4` and `boot-modules/` in a folder that is thrown away when it rejects. */
export interface KernelBuilder {
  build(folder: string, context: WorkContext, order: KernelOrder): Promise<BuiltKernel>;
}

export interface KernelOrder {
  recipe: KernelRecipe;
  /** Ask the archive whether there is a newer one, even where that takes longer. */
  newest: boolean;
}
