import * as z from 'zod';
import { vmEventDetailSchema, vmEventKindSchema } from '#contract/owner/event.ts';
import type { Database } from './database.ts';

const eventSchema = z.strictObject({
  seq: z.number().int(),
  atMs: z.number().int(),
  vmId: z.string(),
  vmName: z.string(),
  kind: vmEventKindSchema,
  detail: vmEventDetailSchema,
});

export type EventRecord = z.infer<typeof eventSchema>;
export type NewEvent = Omit<EventRecord, 'seq'>;

export interface EventFilter {
  /** Only of these VMs. */
  vmIds?: readonly string[] | undefined;
  /** Only those after this sequence number. */
  after?: number | undefined;
  sinceMs?: number | undefined;
  /** Only so many of the newest. */
  limit?: number | undefined;
}

const COLUMNS = 'seq, at_ms AS atMs, vm_id AS vmId, vm_name AS vmName, kind, detail';

/** What happened to VMs, in the order in which it did. */
export class EventRepository {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  insert(event: NewEvent): EventRecord {
    const { lastInsertRowid } = this.#database
      .prepare(
        `INSERT INTO events (at_ms, vm_id, vm_name, kind, detail)
         VALUES (:atMs, :vmId, :vmName, :kind, :detail)`,
      )
      .run({ ...event, detail: JSON.stringify(event.detail) });
    return { seq: Number(lastInsertRowid), ...event };
  }

  /** Oldest first. */
  list({ vmIds, after = 0, sinceMs = 0, limit }: EventFilter = {}): EventRecord[] {
    const rows = this.#database
      .prepare(
        `SELECT ${COLUMNS} FROM events
         WHERE seq > :after AND at_ms >= :sinceMs
           AND (:vmIds IS NULL OR vm_id IN (SELECT value FROM json_each(:vmIds)))
         ORDER BY seq DESC LIMIT :limit`,
      )
      .all({ after, sinceMs, vmIds: vmIds ? JSON.stringify(vmIds) : null, limit: limit ?? -1 });
    return rows.toReversed().map(parseRow);
  }

  /** 0 when nothing has ever happened. */
  newestSeq(): number {
    const row = this.#database.prepare('SELECT max(seq) AS seq FROM events').get();
    return Number(row?.['seq'] ?? 0);
  }

  /** The VMs, also those that are gone, that have this id or were called so. */
  findVmIds(reference: string): string[] {
    const rows = this.#database
      .prepare('SELECT DISTINCT vm_id AS id FROM events WHERE vm_id = :reference OR vm_name = :reference')
      .all({ reference });
    return rows.map(({ id }) => String(id));
  }

  /** Forgets all but so many of the newest. */
  prune(keep: number): void {
    this.#database
      .prepare('DELETE FROM events WHERE seq <= (SELECT seq FROM events ORDER BY seq DESC LIMIT 1 OFFSET ?)')
      .run(keep);
  }
}

function parseRow(row: Record<string, unknown>): EventRecord {
  return eventSchema.parse({ ...row, detail: JSON.parse(String(row['detail'])) });
}
