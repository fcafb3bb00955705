import type { CatalogProblem } from '#contract/owner/image.ts';
import type { KernelRecipe } from '../kernel/kernel-recipes.ts';
import type { Recipe } from '../recipes.ts';

interface ImageEntryFacts {
  name: string;
  description: string;
  /** The catalog that has it: a path, a URL, or `built-in`. */
  catalog: string;
}

export interface RecipeEntry extends ImageEntryFacts {
  kind: 'recipe';
  recipe: Recipe;
}

export interface BundleEntry extends ImageEntryFacts {
  kind: 'bundle';
  /** `https:`, `http:` on this machine, or `file:` beside a catalog that is a file. */
  url: URL;
  sha256: string;
  /** Of the packed file. */
  bytes: number;
  /** Of the file system in it. */
  sizeBytes: number | undefined;
}

export interface OciEntry extends ImageEntryFacts {
  kind: 'oci';
  reference: string;
  sizeBytes: number | undefined;
}

/** An image that can be made by this name. */
export type ImageEntry = RecipeEntry | BundleEntry | OciEntry;

export interface KernelEntry extends KernelRecipe {
  catalog: string;
}

/** One catalog, as far as it can be used on this host. */
export interface Catalog {
  images: readonly ImageEntry[];
  kernels: readonly KernelEntry[];
  problems: readonly CatalogProblem[];
}
