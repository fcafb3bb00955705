import { createHash } from 'node:crypto';
import { globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** One hash over the names, modes and contents of all files that the patterns match. */
export function hashSources(root: string, patterns: readonly string[]): string {
  const hash = createHash('sha256');
  const files = globSync([...patterns], { cwd: root }).toSorted();
  for (const file of files) {
    const path = join(root, file);
    const stat = statSync(path);
    if (!stat.isFile()) continue;
    hash.update(`${file}\0${stat.mode & 0o111 ? 'x' : '-'}\0${stat.size}\0`).update(readFileSync(path));
  }
  return hash.digest('hex');
}
