import * as z from 'zod';
import { UserError } from '#contract/errors.ts';
import { vmSpecSchema, vmStateSchema } from '#contract/owner/vm.ts';
import type { Database } from './database.ts';

/** The durable part of a VM. What belongs to a running process is in handles.json, never here. */
const recordSchema = z.strictObject({
  id: z.string(),
  name: z.string(),
  state: vmStateSchema,
  spec: vmSpecSchema.strict(),
  imageId: z.string(),
  kernelId: z.string(),
  createdAtMs: z.number(),
  startedAtMs: z.number().nullable(),
  stoppedAtMs: z.number().nullable(),
  lastError: z.strictObject({ code: z.string(), message: z.string() }).nullable(),
});

export type VmRecord = z.infer<typeof recordSchema>;

const COLUMNS = `id, name, state, spec, image_id AS imageId, kernel_id AS kernelId, created_at_ms AS createdAtMs,
  started_at_ms AS startedAtMs, stopped_at_ms AS stoppedAtMs, last_error AS lastError`;

export class VmRepository {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** @throws UserError `VM_NAME_TAKEN` */
  insert(vm: VmRecord): void {
    if (this.findByName(vm.name)) {
      throw new UserError('VM_NAME_TAKEN', `Cannot create "${vm.name}": another VM has this name`, {
        hint: `choose another --name, or remove it: banger vm delete ${vm.name}`,
      });
    }
    this.#database
      .prepare(
        `INSERT INTO vms (id, name, state, spec, image_id, kernel_id, created_at_ms, started_at_ms, stopped_at_ms, last_error)
         VALUES (:id, :name, :state, :spec, :imageId, :kernelId, :createdAtMs, :startedAtMs, :stoppedAtMs, :lastError)`,
      )
      .run(toRow(vm));
  }

  /** Writes every column but the id and the time of creation. */
  update(vm: VmRecord): void {
    const { createdAtMs: _, ...row } = toRow(vm);
    this.#database
      .prepare(
        `UPDATE vms SET name = :name, state = :state, spec = :spec, image_id = :imageId, kernel_id = :kernelId,
           started_at_ms = :startedAtMs, stopped_at_ms = :stoppedAtMs, last_error = :lastError WHERE id = :id`,
      )
      .run(row);
  }

  find(id: string): VmRecord | undefined {
    return parseRow(this.#database.prepare(`SELECT ${COLUMNS} FROM vms WHERE id = ?`).get(id));
  }

  findByName(name: string): VmRecord | undefined {
    return parseRow(this.#database.prepare(`SELECT ${COLUMNS} FROM vms WHERE name = ?`).get(name));
  }

  /** Oldest first. */
  list(): VmRecord[] {
    const rows = this.#database.prepare(`SELECT ${COLUMNS} FROM vms ORDER BY created_at_ms, id`).all();
    return rows.map((row) => parseRow(row) as VmRecord);
  }

  remove(id: string): void {
    this.#database.prepare('DELETE FROM vms WHERE id = ?').run(id);
  }
}

function toRow(vm: VmRecord) {
  return {
    ...vm,
    spec: JSON.stringify(vm.spec),
    lastError: vm.lastError === null ? null : JSON.stringify(vm.lastError),
  };
}

function parseRow(row: Record<string, unknown> | undefined): VmRecord | undefined {
  if (!row) return undefined;
  const parsed = recordSchema.safeParse({
    ...row,
    spec: parseJson(row['spec']),
    lastError: row['lastError'] === null ? null : parseJson(row['lastError']),
  });
  if (parsed.success) return parsed.data;
  throw new UserError(
    'STORE_UNREADABLE',
    `Cannot read VM "${String(row['id'])}" from the state store: its row is damaged`,
    {
      hint: 'restore the store from a backup',
      cause: parsed.error,
    },
  );
}

function parseJson(text: unknown): unknown {
  try {
    return JSON.parse(String(text));
  } catch {
    return undefined; // refused by the schema, which says where
  }
}
