import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { tableRows } from './support/markdown.ts';
import { readRepositoryFile, ROOT } from './support/repository.ts';

/** `src/base/` or `base/` in the first column of a table. */
function foldersInTables(text: string): string[] {
  return tableRows(text).flatMap(([cell = '']) => {
    const match = /^`([\w./-]+)\/`$/.exec(cell);
    return match?.[1] ? [match[1]] : [];
  });
}

function isFolder(name: string): boolean {
  return existsSync(join(ROOT, 'src', name)) || existsSync(join(ROOT, name));
}

test('the folder table of ARCHITECTURE.md names the folders of src/, and no other', () => {
  const named = foldersInTables(readRepositoryFile('ARCHITECTURE.md'));
  const present = readdirSync(join(ROOT, 'src'));
  assert.ok(present.length > 0);
  const short = named.map((name) => name.replace(/^src\//, ''));
  assert.deepEqual(
    present.filter((name) => !short.includes(name)),
    [],
    'folders without a row',
  );
  assert.deepEqual(
    named.filter((name) => !isFolder(name)),
    [],
    'rows without a folder',
  );
});

test('folders are found in the first column only', () => {
  const text = '| folder | what |\n|---|---|\n| `base/` | `pure/` |\n| `src/host/` | x |\n| words | y |\n';
  assert.deepEqual(foldersInTables(text), ['base', 'src/host']);
});
