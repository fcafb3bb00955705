import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatFields } from './fields.ts';
import { plainStyle } from './style.ts';
import { formatTable } from './table.ts';

test('columns two spaces apart, nothing at the end of lines', () => {
  assert.equal(
    formatTable(
      ['ID', 'NAME', 'STATE'],
      [
        ['1', 'calm-otter', 'running'],
        ['22', 'db', ''],
      ],
    ),
    'ID  NAME        STATE\n1   calm-otter  running\n22  db\n',
  );
});

test('letters that take two columns are counted as two', () => {
  assert.equal(
    formatTable(
      ['NAME', 'PORT'],
      [
        ['サーバ', '80'],
        ['é', '22'],
      ],
    ),
    'NAME    PORT\nサーバ  80\né       22\n',
  );
});

test('a table without rows is its head', () => {
  assert.equal(formatTable(['ID', 'NAME'], []), 'ID  NAME\n');
});

test('fields without a value are left out', () => {
  assert.equal(
    formatFields(
      [
        ['id', '1'],
        ['address', undefined],
        ['last error', 'a\u0007b'],
      ],
      plainStyle,
    ),
    'id          1\nlast error  a?b\n',
  );
});
