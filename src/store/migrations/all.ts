import { baseline } from './0001-baseline.ts';
import { addressesPortsEvents } from './0002-addresses-ports-events.ts';
import { imageSources } from './0003-image-sources.ts';
import { kernelChoice } from './0004-kernel-choice.ts';
import { vmRun } from './0005-vm-run.ts';
import { kernelTimer } from './0006-kernel-timer.ts';
import type { Migration } from './migration.ts';

/** In order. A released migration is never edited: add another. */
export const migrations: readonly Migration[] = [
  baseline,
  addressesPortsEvents,
  imageSources,
  kernelChoice,
  vmRun,
  kernelTimer,
];
