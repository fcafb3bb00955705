import type { Migration } from './migration.ts';

/** Addresses on the host's loopback, published ports, when a VM was last used; what happened to VMs. */
export const addressesPortsEvents: Migration = {
  id: 2,
  name: 'addresses-ports-events',
  sql: `
    ALTER TABLE vms DROP COLUMN runtime;
    ALTER TABLE vms ADD COLUMN host_address TEXT;
    ALTER TABLE vms ADD COLUMN published TEXT NOT NULL DEFAULT '[]';
    ALTER TABLE vms ADD COLUMN touched_at_ms INTEGER;
    CREATE UNIQUE INDEX vms_host_address ON vms (host_address);

    CREATE TABLE events (
      seq     INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
      at_ms   INTEGER NOT NULL,
      vm_id   TEXT NOT NULL,
      vm_name TEXT NOT NULL,
      kind    TEXT NOT NULL,
      detail  TEXT NOT NULL
    ) STRICT;
    CREATE INDEX events_vm ON events (vm_id, seq);
  `,
};
