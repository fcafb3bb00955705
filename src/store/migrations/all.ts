import { baseline } from './0001-baseline.ts';
import type { Migration } from './migration.ts';

/** In order. A released migration is never edited: add another. */
export const migrations: readonly Migration[] = [baseline];
