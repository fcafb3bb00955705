import * as z from 'zod';
import type { Image } from '#contract/owner/image.ts';
import type { Database } from './database.ts';

const rowSchema = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    source: z.string(),
    architecture: z.enum(['x86_64', 'aarch64']),
    virtual_bytes: z.number().int(),
    allocated_bytes: z.number().int(),
    created_at_ms: z.number().int(),
  })
  .transform((row): Image => ({
    id: row.id,
    name: row.name,
    source: row.source,
    architecture: row.architecture,
    virtualBytes: row.virtual_bytes,
    allocatedBytes: row.allocated_bytes,
    createdAt: new Date(row.created_at_ms).toISOString(),
  }));

/** The images whose files are complete. */
export class ImageRepository {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  list(): Image[] {
    const rows = this.#database.prepare('SELECT * FROM images ORDER BY name').all();
    return rows.map((row) => rowSchema.parse(row));
  }

  findByName(name: string): Image | undefined {
    const row = this.#database.prepare('SELECT * FROM images WHERE name = ?').get(name);
    return row && rowSchema.parse(row);
  }

  findById(id: string): Image | undefined {
    const row = this.#database.prepare('SELECT * FROM images WHERE id = ?').get(id);
    return row && rowSchema.parse(row);
  }

  insert(image: Image): void {
    this.#database
      .prepare(
        `INSERT INTO images (id, name, source, architecture, virtual_bytes, allocated_bytes, created_at_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        image.id,
        image.name,
        image.source,
        image.architecture,
        image.virtualBytes,
        image.allocatedBytes,
        Date.parse(image.createdAt),
      );
  }

  delete(id: string): void {
    this.#database.prepare('DELETE FROM images WHERE id = ?').run(id);
  }
}
