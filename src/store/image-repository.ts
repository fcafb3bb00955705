import * as z from 'zod';
import { imageKindSchema, runConfigSchema, type Image } from '#contract/owner/image.ts';
import { transaction, type Database } from './database.ts';

const rowSchema = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    kind: imageKindSchema,
    source: z.string(),
    digest: z.string().nullable(),
    config: z.string().nullable(),
    path: z.string().nullable(),
    kernel_id: z.string().nullable(),
    architecture: z.enum(['x86_64', 'aarch64']),
    virtual_bytes: z.number().int(),
    allocated_bytes: z.number().int(),
    created_at_ms: z.number().int(),
  })
  .transform((row): Omit<Image, 'names'> => ({
    id: row.id,
    name: row.name,
    kind: row.kind,
    source: row.source,
    ...(row.digest !== null && { digest: row.digest }),
    ...(row.config !== null && { config: runConfigSchema.parse(JSON.parse(row.config)) }),
    ...(row.path !== null && { path: row.path }),
    ...(row.kernel_id !== null && { kernelId: row.kernel_id }),
    architecture: row.architecture,
    virtualBytes: row.virtual_bytes,
    allocatedBytes: row.allocated_bytes,
    createdAt: new Date(row.created_at_ms).toISOString(),
  }));

const nameRowSchema = z.strictObject({ name: z.string() });

/** The images whose files are complete. */
export class ImageRepository {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  list(): Image[] {
    const rows = this.#database.prepare('SELECT * FROM images ORDER BY name').all();
    return rows.map((row) => this.#withNames(row));
  }

  /** Also in a store that an older banger wrote. */
  count(): number {
    return Number(this.#database.prepare('SELECT count(*) AS n FROM images').get()?.['n']);
  }

  findByName(name: string): Image | undefined {
    const row = this.#database
      .prepare('SELECT * FROM images WHERE id = (SELECT image_id FROM image_names WHERE name = ?)')
      .get(name);
    return row && this.#withNames(row);
  }

  findById(id: string): Image | undefined {
    const row = this.#database.prepare('SELECT * FROM images WHERE id = ?').get(id);
    return row && this.#withNames(row);
  }

  /** @param options `takeNames`: names that another image has go over to this one */
  insert(image: Image, { takeNames = false } = {}): void {
    transaction(this.#database, () => {
      if (takeNames) for (const name of image.names) this.#takeName(name);
      this.#database
        .prepare(
          `INSERT INTO images (id, name, kind, source, digest, config, path, kernel_id, architecture,
             virtual_bytes, allocated_bytes, created_at_ms)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        )
        .run(
          image.id,
          image.name,
          image.kind,
          image.source,
          image.digest ?? null,
          image.config ? JSON.stringify(image.config) : null,
          image.path ?? null,
          image.kernelId ?? null,
          image.architecture,
          image.virtualBytes,
          image.allocatedBytes,
          Date.parse(image.createdAt),
        );
      for (const name of image.names) this.#insertName(image.id, name, Date.parse(image.createdAt));
    });
  }

  addName(id: string, name: string, nowMs: number): void {
    transaction(this.#database, () => {
      this.#insertName(id, name, nowMs);
      this.#database.prepare('UPDATE images SET name = ? WHERE id = ? AND name = id').run(name, id);
    });
  }

  /** Without names left it is called by its id. */
  removeNames(id: string, names: readonly string[]): void {
    transaction(this.#database, () => {
      const remove = this.#database.prepare('DELETE FROM image_names WHERE image_id = ? AND name = ?');
      for (const name of names) remove.run(id, name);
      const [first = id] = this.#namesOf(id);
      this.#database.prepare('UPDATE images SET name = ? WHERE id = ?').run(first, id);
    });
  }

  setKernel(id: string, kernelId: string): void {
    this.#database.prepare('UPDATE images SET kernel_id = ? WHERE id = ?').run(kernelId, id);
  }

  /** Of a registered image whose disk is now in a folder of ours. */
  makeManaged(id: string, allocatedBytes: number): void {
    this.#database
      .prepare('UPDATE images SET path = NULL, allocated_bytes = ? WHERE id = ?')
      .run(allocatedBytes, id);
  }

  delete(id: string): void {
    transaction(this.#database, () => {
      this.#database.prepare('DELETE FROM image_names WHERE image_id = ?').run(id);
      this.#database.prepare('DELETE FROM images WHERE id = ?').run(id);
    });
  }

  #takeName(name: string): void {
    const owner = this.findByName(name);
    if (!owner) return;
    this.#database.prepare('DELETE FROM image_names WHERE name = ?').run(name);
    const [first = owner.id] = this.#namesOf(owner.id);
    this.#database.prepare('UPDATE images SET name = ? WHERE id = ?').run(first, owner.id);
  }

  #insertName(id: string, name: string, nowMs: number): void {
    this.#database
      .prepare('INSERT INTO image_names (name, image_id, created_at_ms) VALUES (?, ?, ?)')
      .run(name, id, nowMs);
  }

  #withNames(row: unknown): Image {
    const { id, name, ...rest } = rowSchema.parse(row);
    return { id, name, names: this.#namesOf(id), ...rest };
  }

  #namesOf(id: string): string[] {
    const rows = this.#database
      .prepare('SELECT name FROM image_names WHERE image_id = ? ORDER BY created_at_ms, name')
      .all(id);
    return rows.map((row) => nameRowSchema.parse(row).name);
  }
}
