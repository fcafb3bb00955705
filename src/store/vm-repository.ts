import type { StatementSync } from 'node:sqlite';
import * as z from 'zod';
import { UserError } from '#contract/errors.ts';
import { publishedPortSchema, vmSpecSchema, vmStateSchema } from '#contract/owner/vm.ts';
import { vmRunSchema } from '#contract/owner/vm-run.ts';
import { isDatabaseFull, type Database } from './database.ts';

/** The durable part of a VM. What belongs to a running process is in handles.json, never here. */
const recordSchema = z.strictObject({
  id: z.string(),
  name: z.string(),
  state: vmStateSchema,
  spec: vmSpecSchema.strict(),
  imageId: z.string(),
  kernelId: z.string(),
  /** A copy: what becomes of the image changes nothing. Null: neither the image nor the VM's maker said anything. */
  run: vmRunSchema.strict().nullable(),
  /** Where the host's processes reach the VM: its own address on the loopback. */
  hostAddress: z.string().nullable(),
  published: z.array(publishedPortSchema.strict()),
  createdAtMs: z.number(),
  startedAtMs: z.number().nullable(),
  stoppedAtMs: z.number().nullable(),
  /** When somebody last used it. */
  touchedAtMs: z.number().nullable(),
  lastError: z.strictObject({ code: z.string(), message: z.string() }).nullable(),
});

export type VmRecord = z.infer<typeof recordSchema>;

/** A row that is not a VM's record (any more). */
export interface DamagedVmRow {
  id: string;
  name: string;
  /** Which columns, and what is wrong with them. */
  why: string;
  /** As it was read. */
  row: Readonly<Record<string, unknown>>;
}

const COLUMNS = `id, name, state, spec, image_id AS imageId, kernel_id AS kernelId, run, host_address AS hostAddress, published, created_at_ms AS createdAtMs,
  started_at_ms AS startedAtMs, stopped_at_ms AS stoppedAtMs, touched_at_ms AS touchedAtMs, last_error AS lastError`;

/** On a full file system these come to nothing anyway. */
const STARTS: ReadonlySet<VmRecord['state']> = new Set(['creating', 'starting', 'running']);

export class VmRepository {
  readonly #database: Database;
  readonly #makeRoom: () => boolean;
  /** These two are asked for with every command; to prepare one takes longer than to run it. */
  readonly #byId: StatementSync;
  readonly #byName: StatementSync;

  /** `makeRoom` is called when on a full file system a VM cannot be stopped, removed, or say what is wrong; false: there is no more. */
  constructor(database: Database, makeRoom: () => boolean = () => false) {
    this.#database = database;
    this.#makeRoom = makeRoom;
    this.#byId = database.prepare(`SELECT ${COLUMNS} FROM vms WHERE id = ?`);
    this.#byName = database.prepare(`SELECT ${COLUMNS} FROM vms WHERE name = ?`);
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
        `INSERT INTO vms (id, name, state, spec, image_id, kernel_id, run, host_address, published, created_at_ms,
           started_at_ms, stopped_at_ms, touched_at_ms, last_error)
         VALUES (:id, :name, :state, :spec, :imageId, :kernelId, :run, :hostAddress, :published, :createdAtMs,
           :startedAtMs, :stoppedAtMs, :touchedAtMs, :lastError)`,
      )
      .run(toRow(vm));
  }

  /** Writes every column but the id and the time of creation. */
  update(vm: VmRecord): void {
    const { createdAtMs: _, ...row } = toRow(vm);
    const statement = this.#database.prepare(
      `UPDATE vms SET name = :name, state = :state, spec = :spec, image_id = :imageId, kernel_id = :kernelId, run = :run,
           host_address = :hostAddress, published = :published, touched_at_ms = :touchedAtMs, started_at_ms = :startedAtMs, stopped_at_ms = :stoppedAtMs, last_error = :lastError WHERE id = :id`,
    );
    const isStart = STARTS.has(vm.state) && vm.lastError === null;
    this.#write(() => statement.run(row), !isStart);
  }

  find(id: string): VmRecord | undefined {
    return parseRow(this.#byId.get(id));
  }

  findByName(name: string): VmRecord | undefined {
    return parseRow(this.#byName.get(name));
  }

  /** Oldest first, without damaged rows: one that cannot be read must not keep the others from their owner. */
  list(): VmRecord[] {
    return this.#readAll().flatMap(({ parsed }) => (parsed.success ? [parsed.data] : []));
  }

  /** The rows that `list` leaves out. */
  listDamaged(): DamagedVmRow[] {
    return this.#readAll().flatMap(({ row, parsed }) => {
      if (parsed.success) return [];
      const why = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
      return [{ id: String(row['id']), name: String(row['name']), why, row }];
    });
  }

  remove(id: string): void {
    this.#write(() => this.#database.prepare('DELETE FROM vms WHERE id = ?').run(id), true);
  }

  #write(statement: () => unknown, mayMakeRoom: boolean): void {
    try {
      statement();
    } catch (error) {
      if (!mayMakeRoom || !isDatabaseFull(error) || !this.#makeRoom()) throw error;
      statement();
    }
  }

  #readAll() {
    const rows = this.#database.prepare(`SELECT ${COLUMNS} FROM vms ORDER BY created_at_ms, id`).all();
    return rows.map((row) => ({ row, parsed: safeParseRow(row) }));
  }
}

function toRow(vm: VmRecord) {
  return {
    ...vm,
    spec: JSON.stringify(vm.spec),
    run: vm.run === null ? null : JSON.stringify(vm.run),
    published: JSON.stringify(vm.published),
    lastError: vm.lastError === null ? null : JSON.stringify(vm.lastError),
  };
}

function parseRow(row: Record<string, unknown> | undefined): VmRecord | undefined {
  if (!row) return undefined;
  const parsed = safeParseRow(row);
  if (parsed.success) return parsed.data;
  throw new UserError(
    'STORE_UNREADABLE',
    `Cannot read VM "${String(row['id'])}" from the state store: its row is damaged`,
    {
      hint: 'banger fsck says what is wrong with it, and --repair puts the VM aside',
      cause: parsed.error,
    },
  );
}

function safeParseRow(row: Readonly<Record<string, unknown>>) {
  return recordSchema.safeParse({
    ...row,
    spec: parseJson(row['spec']),
    run: row['run'] === null ? null : parseJson(row['run']),
    published: parseJson(row['published']),
    lastError: row['lastError'] === null ? null : parseJson(row['lastError']),
  });
}

function parseJson(text: unknown): unknown {
  try {
    return JSON.parse(String(text));
  } catch {
    return undefined; // refused by the schema, which says where
  }
}
