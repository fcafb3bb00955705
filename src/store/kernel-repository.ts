import * as z from 'zod';
import type { Kernel } from '#contract/owner/kernel.ts';
import { transaction, type Database } from './database.ts';

const rowSchema = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    release: z.string(),
    architecture: z.enum(['x86_64', 'aarch64']),
    source: z.string(),
    allocated_bytes: z.number().int(),
    created_at_ms: z.number().int(),
    recipe: z.string().nullable(),
    timer_hz: z.number().int().nullable(),
    is_default: z.union([z.literal(0), z.literal(1)]),
  })
  .transform(({ allocated_bytes, created_at_ms, is_default, recipe, timer_hz, ...same }): Kernel => ({
    ...same,
    ...(recipe === null ? {} : { recipe }),
    ...(timer_hz === null ? {} : { timerHz: timer_hz }),
    isDefault: is_default === 1,
    allocatedBytes: allocated_bytes,
    createdAt: new Date(created_at_ms).toISOString(),
  }));

/** The kernels whose files are complete. */
export class KernelRepository {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Newest first. */
  list(): Kernel[] {
    const rows = this.#database.prepare('SELECT * FROM kernels ORDER BY created_at_ms DESC, id').all();
    return rows.map((row) => rowSchema.parse(row));
  }

  findById(id: string): Kernel | undefined {
    const row = this.#database.prepare('SELECT * FROM kernels WHERE id = ?').get(id);
    return row && rowSchema.parse(row);
  }

  findByName(name: string): Kernel | undefined {
    const row = this.#database.prepare('SELECT * FROM kernels WHERE name = ?').get(name);
    return row && rowSchema.parse(row);
  }

  insert(kernel: Kernel): void {
    const { id, name, release, architecture, source, isDefault, allocatedBytes, createdAt } = kernel;
    const { recipe = null, timerHz = null } = kernel;
    this.#database
      .prepare(
        `INSERT INTO kernels (id, name, release, architecture, source, recipe, timer_hz, is_default, allocated_bytes, created_at_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        ...[id, name, release, architecture, source, recipe, timerHz, isDefault ? 1 : 0],
        ...[allocatedBytes, Date.parse(createdAt)],
      );
  }

  /** Inserts it under the name of another, which goes on under `oldName`; what the other was the default for, it is now. */
  supersede(old: Kernel, oldName: string, kernel: Kernel): void {
    transaction(this.#database, () => {
      this.#database.prepare('UPDATE kernels SET name = ?, is_default = 0 WHERE id = ?').run(oldName, old.id);
      this.insert(kernel);
    });
  }

  setDefault(id: string): void {
    transaction(this.#database, () => {
      this.#database.exec('UPDATE kernels SET is_default = 0 WHERE is_default = 1');
      this.#database.prepare('UPDATE kernels SET is_default = 1 WHERE id = ?').run(id);
    });
  }

  delete(id: string): void {
    this.#database.prepare('DELETE FROM kernels WHERE id = ?').run(id);
  }
}
