import { baseline } from './0001-baseline.ts';
import { addressesPortsEvents } from './0002-addresses-ports-events.ts';
import type { Migration } from './migration.ts';

/** In order. A released migration is never edited: add another. */
export const migrations: readonly Migration[] = [baseline, addressesPortsEvents];
