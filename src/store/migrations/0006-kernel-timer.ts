import type { Migration } from './migration.ts';

/** How often a kernel's timer ticks, where that is known. */
export const kernelTimer: Migration = {
  id: 6,
  name: 'kernel-timer',
  sql: `ALTER TABLE kernels ADD COLUMN timer_hz INTEGER;`,
};
