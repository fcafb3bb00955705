import type { Migration } from './migration.ts';

/** Where images come from, how their publisher wants them run, and several names for one image. */
export const imageSources: Migration = {
  id: 3,
  name: 'image-sources',
  sql: `
    ALTER TABLE images ADD COLUMN kind TEXT NOT NULL DEFAULT 'recipe';
    ALTER TABLE images ADD COLUMN digest TEXT;
    ALTER TABLE images ADD COLUMN config TEXT;
    ALTER TABLE images ADD COLUMN path TEXT;
    ALTER TABLE images ADD COLUMN kernel_id TEXT;

    CREATE TABLE image_names (
      name          TEXT NOT NULL PRIMARY KEY,
      image_id      TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE,
      created_at_ms INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX image_names_image ON image_names (image_id);
    INSERT INTO image_names (name, image_id, created_at_ms) SELECT name, id, created_at_ms FROM images;
  `,
};
