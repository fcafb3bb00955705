import type { Migration } from './migration.ts';

/** Which kernel new VMs boot, and by which entry of the catalog a kernel came. */
export const kernelChoice: Migration = {
  id: 4,
  name: 'kernel-choice',
  sql: `
    ALTER TABLE kernels ADD COLUMN recipe TEXT;
    ALTER TABLE kernels ADD COLUMN is_default INTEGER NOT NULL DEFAULT 0;
    CREATE UNIQUE INDEX kernels_default ON kernels (is_default) WHERE is_default = 1;
    UPDATE kernels SET recipe = 'debian-bookworm' WHERE release LIKE '6.1.%';
  `,
};
