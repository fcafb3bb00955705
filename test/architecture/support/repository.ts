import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { listFiles } from '../../../scripts/stats/measure-files.ts';

export const ROOT = resolve(import.meta.dirname, '../../..');

export function repositoryFiles(...endings: string[]): string[] {
  return listFiles(ROOT, endings);
}

export function readRepositoryFile(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}
