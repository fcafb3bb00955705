import type { Migration } from './migration.ts';

export const baseline: Migration = {
  id: 1,
  name: 'baseline',
  sql: `
    CREATE TABLE vms (
      id            TEXT NOT NULL PRIMARY KEY,
      name          TEXT NOT NULL UNIQUE,
      state         TEXT NOT NULL,
      spec          TEXT NOT NULL,
      image_id      TEXT NOT NULL,
      kernel_id     TEXT NOT NULL,
      runtime       TEXT,
      created_at_ms INTEGER NOT NULL,
      started_at_ms INTEGER,
      stopped_at_ms INTEGER,
      last_error    TEXT
    ) STRICT;

    CREATE TABLE images (
      id              TEXT NOT NULL PRIMARY KEY,
      name            TEXT NOT NULL UNIQUE,
      source          TEXT NOT NULL,
      architecture    TEXT NOT NULL,
      virtual_bytes   INTEGER NOT NULL,
      allocated_bytes INTEGER NOT NULL,
      created_at_ms   INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE kernels (
      id              TEXT NOT NULL PRIMARY KEY,
      name            TEXT NOT NULL UNIQUE,
      release         TEXT NOT NULL,
      architecture    TEXT NOT NULL,
      source          TEXT NOT NULL,
      allocated_bytes INTEGER NOT NULL,
      created_at_ms   INTEGER NOT NULL
    ) STRICT;
  `,
};
