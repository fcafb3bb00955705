import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

interface CruiseReport {
  modules: { source: string; dependencies: { module: string }[] }[];
  summary: { violations: Violation[] };
}

export interface Violation {
  from: string;
  to: string;
  rule: { name: string };
}

/** Judges the imports of a repository by its .dependency-cruiser.mjs. */
export function cruise(root: string): CruiseReport {
  const program = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const folders = ['src', 'test', 'bench', 'scripts'].filter((name) => existsSync(join(root, name)));
  const args = [program, '--config', '.dependency-cruiser.mjs', '--output-type', 'json', ...folders];
  const { stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 256 * 2 ** 20,
  });
  try {
    return JSON.parse(stdout) as CruiseReport;
  } catch (error) {
    throw new Error(`dependency-cruiser did not answer in JSON: ${stderr}${stdout.slice(0, 1000)}`, {
      cause: error,
    });
  }
}
