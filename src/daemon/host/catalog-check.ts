import type { CatalogProblem } from '#contract/owner/image.ts';
import type { Catalogs } from '../image/catalog/catalogs.ts';
import { combine, fail, warn, type Check } from './check.ts';

const HINT = 'put the catalog right, or take it out: banger config get catalogs';

/** What is wrong with the catalogs that the configuration names. */
export function catalogCheck(catalogs: Pick<Catalogs, 'refresh' | 'problems' | 'images' | 'kernels'>): Check {
  return {
    name: 'catalogs',
    examine: async (options) => {
      await catalogs.refresh(options);
      const findings = catalogs.problems().map(judge);
      const [images, kernels] = [catalogs.images().length, catalogs.kernels().length];
      return combine(findings, `${images} images and ${kernels} kernels can be made by name`);
    },
  };
}

function judge(problem: CatalogProblem) {
  const { catalog, entry, isStale } = problem;
  const where = entry === undefined ? `"${catalog}"` : `entry "${entry}" of "${catalog}"`;
  const message = `${where}: ${problem.problem}`;
  return isStale ? warn(`${message}; what it said last counts`, HINT) : fail(message, HINT);
}
