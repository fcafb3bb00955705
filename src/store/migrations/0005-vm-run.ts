import type { Migration } from './migration.ts';

/** How a VM is run, as its image said when the VM was made. */
export const vmRun: Migration = {
  id: 5,
  name: 'vm-run',
  sql: `ALTER TABLE vms ADD COLUMN run TEXT;`,
};
