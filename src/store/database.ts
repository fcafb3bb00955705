import { DatabaseSync } from 'node:sqlite';
import { UserError } from '#contract/errors.ts';
import { messageOf } from '#base/errors.ts';
import { migrations as allMigrations } from './migrations/all.ts';
import type { Migration } from './migrations/migration.ts';

export type Database = DatabaseSync;

const SQLITE_FULL = 13;

export interface OpenOptions {
  /** For looking only: nothing is migrated, no pragma is written. */
  readOnly?: boolean;
  migrations?: readonly Migration[];
  /** Called when the file system is full; false: there is no more room to be made. */
  makeRoom?: () => boolean;
}

/**
 * Opens the store and brings its schema up to date.
 *
 * @throws UserError `STORE_UNREADABLE` when it is not a database, `STORE_TOO_NEW` when a newer banger wrote it
 */
export function openDatabase(path: string, options: OpenOptions = {}): Database {
  try {
    return open(path, options);
  } catch (error) {
    const isFull = error instanceof Error && isDatabaseFull(error.cause);
    if (!isFull || !options.makeRoom?.()) throw error;
    return open(path, options);
  }
}

function open(path: string, options: OpenOptions): Database {
  const known = options.migrations ?? allMigrations;
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { readOnly: options.readOnly ?? false, timeout: 5000 });
    if (!options.readOnly) {
      database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;');
      createMigrationTable(database);
    }
    const applied = appliedMigrations(database);
    refuseNewer(path, applied, known);
    if (!options.readOnly) migrate(database, known, applied);
    return database;
  } catch (error) {
    database?.close();
    if (error instanceof UserError) throw error;
    throw new UserError('STORE_UNREADABLE', `Cannot open the state store "${path}": ${messageOf(error)}`, {
      hint: 'restore the file from a backup; moved away, the next start puts the disks of its VMs aside',
      cause: error,
    });
  }
}

/** SQLITE_FULL: there was no room for what was to be written. */
export function isDatabaseFull(error: unknown): boolean {
  if (!(error instanceof Error) || !('errcode' in error)) return false;
  return typeof error.errcode === 'number' && (error.errcode & 0xff) === SQLITE_FULL;
}

/** Runs `body` in a transaction that is rolled back when it throws. */
export function transaction<T>(database: Database, body: () => T): T {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = body();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

function createMigrationTable(database: Database): void {
  database.exec(`
    CREATE TABLE IF NOT EXISTS schema_migrations (
      id INTEGER NOT NULL PRIMARY KEY,
      name TEXT NOT NULL,
      applied_at_ms INTEGER NOT NULL
    ) STRICT`);
}

function appliedMigrations(database: Database): Set<number> {
  const table = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'schema_migrations'").get();
  if (!table) return new Set();
  const rows = database.prepare('SELECT id FROM schema_migrations').all();
  return new Set(rows.map((row) => Number(row['id'])));
}

function refuseNewer(path: string, applied: ReadonlySet<number>, known: readonly Migration[]): void {
  const knownIds = new Set(known.map((migration) => migration.id));
  const foreign = [...applied].filter((id) => !knownIds.has(id));
  if (foreign.length === 0) return;
  throw new UserError('STORE_TOO_NEW', `Cannot open the state store "${path}": a newer banger wrote it`, {
    hint: 'update banger, or use the version that wrote the store',
    details: { unknownMigrations: foreign },
  });
}

function migrate(database: Database, known: readonly Migration[], applied: ReadonlySet<number>): void {
  for (const migration of known.filter(({ id }) => !applied.has(id))) {
    transaction(database, () => {
      database.exec(migration.sql);
      database
        .prepare('INSERT INTO schema_migrations (id, name, applied_at_ms) VALUES (?, ?, ?)')
        .run(migration.id, migration.name, Date.now());
    });
  }
}
