import * as z from 'zod';
import type { Kernel } from '#contract/owner/kernel.ts';
import type { Database } from './database.ts';

const rowSchema = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    release: z.string(),
    architecture: z.enum(['x86_64', 'aarch64']),
    source: z.string(),
    allocated_bytes: z.number().int(),
    created_at_ms: z.number().int(),
  })
  .transform(({ allocated_bytes, created_at_ms, ...same }): Kernel => ({
    ...same,
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

  insert(kernel: Kernel): void {
    const { id, name, release, architecture, source, allocatedBytes, createdAt } = kernel;
    this.#database
      .prepare(
        `INSERT INTO kernels (id, name, release, architecture, source, allocated_bytes, created_at_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(id, name, release, architecture, source, allocatedBytes, Date.parse(createdAt));
  }

  delete(id: string): void {
    this.#database.prepare('DELETE FROM kernels WHERE id = ?').run(id);
  }
}
