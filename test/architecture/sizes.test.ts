import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  FILE_LINES_CAP,
  FUNCTION_LINES_CAP,
  isTest,
  measureFile,
} from '../../scripts/stats/measure-files.ts';
import { repositoryFiles, ROOT } from './support/repository.ts';

const files = repositoryFiles('.ts', '.c', '.h').map((path) => measureFile(ROOT, path));

test(`no file has more than ${FILE_LINES_CAP} lines`, () => {
  assert.ok(files.length > 0);
  const long = files.filter(({ lines }) => lines > FILE_LINES_CAP);
  assert.deepEqual(
    long.map(({ path, lines }) => `${path}: ${lines}`),
    [],
  );
});

test(`no function has more than ${FUNCTION_LINES_CAP} lines`, () => {
  const functions = files
    .filter(({ path }) => !isTest(path))
    .flatMap(({ path, functions: own }) => own.map((one) => ({ path, ...one })));
  assert.ok(functions.length > 0);
  const long = functions.filter(({ lines }) => lines > FUNCTION_LINES_CAP);
  assert.deepEqual(
    long.map(({ path, line, name, lines }) => `${path}:${line}: ${name} has ${lines}`),
    [],
  );
});

test('lines, functions and comments are counted', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sizes-'));
  const text = [
    '// why',
    'export function outer() {',
    '  /* a note',
    '     over two lines */',
    '  const inner = () => {',
    '    return `// not a comment`; // beside code',
    '  };',
    '  return inner;',
    '}',
    '',
  ].join('\n');
  writeFileSync(join(folder, 'some.ts'), text);
  const facts = measureFile(folder, 'some.ts');
  rmSync(folder, { recursive: true });
  assert.equal(facts.lines, 9);
  assert.equal(facts.commentLines, 3);
  assert.deepEqual(facts.functions, [
    { name: 'outer', line: 2, lines: 8 },
    { name: 'inner', line: 5, lines: 3 },
  ]);
});
