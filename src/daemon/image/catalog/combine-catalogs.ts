import type { CatalogProblem } from '#contract/owner/image.ts';
import type { Catalog } from './entry.ts';

/** Several catalogs as one. A name counts where it stands first: none can take the place of what an earlier one has. */
export function combineCatalogs(catalogs: readonly Catalog[]): Catalog {
  const problems: CatalogProblem[] = catalogs.flatMap((catalog) => catalog.problems);
  const once = <Entry extends { name: string; catalog: string }>(entries: readonly Entry[]): Entry[] => {
    const kept = new Map<string, Entry>();
    for (const entry of entries) {
      const before = kept.get(entry.name);
      if (before) problems.push(nameTaken(entry, before));
      else kept.set(entry.name, entry);
    }
    return [...kept.values()];
  };
  return {
    images: once(catalogs.flatMap(({ images }) => images)),
    kernels: once(catalogs.flatMap(({ kernels }) => kernels)),
    problems,
  };
}

function nameTaken(
  { name, catalog }: { name: string; catalog: string },
  before: { catalog: string },
): CatalogProblem {
  const where = before.catalog === catalog ? 'it' : `the catalog "${before.catalog}"`;
  return { catalog, entry: name, problem: `${where} has this name already`, isStale: false };
}
