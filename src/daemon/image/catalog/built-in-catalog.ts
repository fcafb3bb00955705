import type { Architecture } from '../architecture.ts';
import builtIn from './catalog.json' with { type: 'json' };
import type { Catalog } from './entry.ts';
import { parseCatalog } from './parse-catalog.ts';

export const BUILT_IN = 'built-in';

/** The catalog that comes with banger. */
export function builtInCatalog(architecture: Architecture['name']): Catalog {
  const catalog = parseCatalog(JSON.stringify(builtIn), { source: BUILT_IN, architecture });
  const [problem] = catalog.problems;
  if (problem) throw new Error(`the built-in catalog is broken: ${problem.entry}: ${problem.problem}`);
  return catalog;
}
