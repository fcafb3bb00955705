import assert from 'node:assert/strict';
import { mkdtempDisposable, readFile, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isUserError } from '#contract/errors.ts';
import { openDatabase, transaction, type Database, type OpenOptions } from './database.ts';
import { migrations } from './migrations/all.ts';
import type { Migration } from './migrations/migration.ts';

const first: Migration = { id: 1, name: 'first', sql: 'CREATE TABLE one (value TEXT) STRICT;' };
const second: Migration = { id: 2, name: 'second', sql: 'CREATE TABLE two (value TEXT) STRICT;' };
/** Its first statement succeeds. */
const broken: Migration = {
  id: 3,
  name: 'broken',
  sql: 'CREATE TABLE three (value TEXT) STRICT; INSERT INTO nowhere VALUES (1);',
};

const newFolder = () => mkdtempDisposable(join(tmpdir(), 'banger-database-'));

/** Opens, looks, closes. */
function inspect<T>(path: string, options: OpenOptions, look: (database: Database) => T): T {
  const database = openDatabase(path, options);
  try {
    return look(database);
  } finally {
    database.close();
  }
}

const tablesOf = (database: Database) =>
  database
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    .all()
    .map((row) => row['name']);

const appliedOf = (database: Database) =>
  database
    .prepare('SELECT id, name FROM schema_migrations ORDER BY id')
    .all()
    .map((row) => ({ ...row }));

test('a new store gets every migration, once, in order', async () => {
  await using folder = await newFolder();
  const path = join(folder.path, 'store.db');
  const applied = inspect(path, { migrations: [first, second] }, appliedOf);
  assert.deepEqual(applied, [
    { id: 1, name: 'first' },
    { id: 2, name: 'second' },
  ]);
});

test('opening again changes nothing and keeps the rows', async () => {
  await using folder = await newFolder();
  const path = join(folder.path, 'store.db');
  inspect(path, { migrations: [first] }, (database) => database.exec("INSERT INTO one VALUES ('kept')"));
  const options = { migrations: [first] };
  const before = inspect(path, options, (database) =>
    database.prepare('SELECT * FROM schema_migrations').all(),
  );
  const after = inspect(path, options, (database) =>
    database.prepare('SELECT * FROM schema_migrations').all(),
  );
  assert.deepEqual(after, before);
  assert.equal(inspect(path, options, (database) => database.prepare('SELECT * FROM one').all()).length, 1);
});

test('a store of an older banger gets what is new', async () => {
  await using folder = await newFolder();
  const path = join(folder.path, 'store.db');
  inspect(path, { migrations: [first] }, (database) => database.exec("INSERT INTO one VALUES ('old')"));
  inspect(path, { migrations: [first, second] }, (database) => {
    assert.deepEqual(tablesOf(database), ['one', 'schema_migrations', 'two']);
    assert.equal(database.prepare('SELECT value FROM one').get()?.['value'], 'old');
  });
});

test('a migration that fails half way leaves nothing of itself and all of those before it', async () => {
  await using folder = await newFolder();
  const path = join(folder.path, 'store.db');
  assert.throws(
    () => openDatabase(path, { migrations: [first, second, broken] }),
    (error) => isUserError(error, 'STORE_UNREADABLE') && /nowhere/.test(error.message),
  );
  inspect(path, { migrations: [first, second] }, (database) => {
    assert.deepEqual(tablesOf(database), ['one', 'schema_migrations', 'two']);
  });
  const repaired: Migration = { id: 3, name: 'broken', sql: 'CREATE TABLE three (value TEXT) STRICT;' };
  assert.equal(inspect(path, { migrations: [first, second, repaired] }, appliedOf).length, 3);
});

test('a store that a newer banger wrote is refused, whether to write or to look', async () => {
  await using folder = await newFolder();
  const path = join(folder.path, 'store.db');
  inspect(path, { migrations: [first, second] }, () => {});
  for (const readOnly of [false, true]) {
    assert.throws(
      () => openDatabase(path, { migrations: [first], readOnly }),
      (error) => {
        assert.ok(isUserError(error, 'STORE_TOO_NEW'));
        assert.deepEqual(error.details, { unknownMigrations: [2] });
        return true;
      },
    );
  }
  assert.equal(inspect(path, { migrations: [first, second] }, appliedOf).length, 2);
});

test('a file that is no database is refused, named, and left as it is', async () => {
  await using folder = await newFolder();
  const path = join(folder.path, 'store.db');
  const garbage = Buffer.from('this is not a database, whoever put it here '.repeat(200));
  await writeFile(path, garbage);
  for (const readOnly of [false, true]) {
    assert.throws(
      () => openDatabase(path, { readOnly }),
      (error) => isUserError(error, 'STORE_UNREADABLE') && error.message.includes(path),
    );
  }
  assert.deepEqual(await readFile(path), garbage);
});

test('a database whose pages were overwritten is refused', async () => {
  await using folder = await newFolder();
  const path = join(folder.path, 'store.db');
  inspect(path, {}, () => {});
  const bytes = await readFile(path);
  bytes.fill(0xa5, 100);
  await writeFile(path, bytes);
  assert.throws(
    () => openDatabase(path),
    (error) => isUserError(error, 'STORE_UNREADABLE'),
  );
});

test('a folder that is not there is a refusal, not a crash', async () => {
  await using folder = await newFolder();
  assert.throws(
    () => openDatabase(join(folder.path, 'missing', 'store.db')),
    (error) => isUserError(error, 'STORE_UNREADABLE'),
  );
});

test('looking changes nothing: no migration, no new store, not a byte', async () => {
  await using folder = await newFolder();
  const path = join(folder.path, 'store.db');
  assert.throws(
    () => openDatabase(path, { readOnly: true }),
    (error) => isUserError(error, 'STORE_UNREADABLE'),
  );
  assert.deepEqual(await readdir(folder.path), []);
  inspect(path, { migrations: [first] }, (database) => database.exec("INSERT INTO one VALUES ('x')"));
  const before = await readFile(path);
  inspect(path, { migrations: [first, second], readOnly: true }, (database) => {
    assert.deepEqual(tablesOf(database), ['one', 'schema_migrations']);
    assert.throws(() => database.exec("INSERT INTO one VALUES ('y')"), /readonly/);
  });
  assert.deepEqual(await readFile(path), before);
});

test('looking at an empty file finds an empty store', async () => {
  await using folder = await newFolder();
  const path = join(folder.path, 'store.db');
  await writeFile(path, '');
  assert.deepEqual(inspect(path, { readOnly: true }, tablesOf), []);
  assert.equal((await readFile(path)).length, 0);
});

test('who looks sees what was committed while somebody else writes', async () => {
  await using folder = await newFolder();
  const path = join(folder.path, 'store.db');
  using writer = openDatabase(path, { migrations: [first] });
  writer.exec("INSERT INTO one VALUES ('committed'); BEGIN IMMEDIATE; INSERT INTO one VALUES ('pending')");
  const seen = inspect(path, { migrations: [first], readOnly: true }, (database) =>
    database
      .prepare('SELECT value FROM one')
      .all()
      .map((row) => row['value']),
  );
  assert.deepEqual(seen, ['committed']);
});

test('transaction commits what its body did and returns its result', () => {
  using database = openDatabase(':memory:', { migrations: [first] });
  const result = transaction(database, () => {
    database.exec("INSERT INTO one VALUES ('a')");
    return 'result';
  });
  assert.equal(result, 'result');
  assert.equal(database.isTransaction, false);
  assert.equal(database.prepare('SELECT * FROM one').all().length, 1);
});

test('transaction takes back everything when its body throws, and passes the error on', () => {
  using database = openDatabase(':memory:', { migrations: [first] });
  const failure = new Error('half way');
  assert.throws(
    () =>
      transaction(database, () => {
        database.exec("INSERT INTO one VALUES ('a')");
        throw failure;
      }),
    (error) => error === failure,
  );
  assert.equal(database.prepare('SELECT * FROM one').all().length, 0);
  transaction(database, () => database.exec("INSERT INTO one VALUES ('b')"));
  assert.equal(database.prepare('SELECT * FROM one').all().length, 1);
});

test('transaction does not hide the error of a statement that ended the transaction itself', () => {
  using database = openDatabase(':memory:', { migrations: [first] });
  assert.throws(
    () =>
      transaction(database, () => {
        database.exec('ROLLBACK');
        throw new Error('the real one');
      }),
    /the real one/,
  );
});

test('the migrations that ship ascend, have distinct names, and make strict tables', () => {
  const ids = migrations.map(({ id }) => id);
  assert.deepEqual(
    ids,
    [...new Set(ids)].toSorted((a, b) => a - b),
  );
  assert.equal(new Set(migrations.map(({ name }) => name)).size, migrations.length);
  using database = openDatabase(':memory:');
  const lax = database
    .prepare("SELECT name FROM pragma_table_list WHERE schema = 'main' AND strict = 0")
    .all();
  assert.deepEqual(
    lax.map((row) => row['name']).filter((name) => !String(name).startsWith('sqlite_')),
    [],
  );
});
