import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findImportProblems } from './support/import-problems.ts';
import { readRepositoryFile, repositoryFiles } from './support/repository.ts';

const sources = repositoryFiles('.ts').filter((path) => path.startsWith('src/'));

test('imports of this repository are written the one way', () => {
  assert.ok(sources.length > 0);
  const problems = sources.flatMap((path) => findImportProblems(path, readRepositoryFile(path)));
  assert.deepEqual(problems, []);
});

const VIOLATIONS = [
  ["import { a } from '../base/a.ts';", /leaves src\/cli\//],
  ["import type { A } from '../../scripts/a.ts';", /leaves src\/cli\//],
  ["const a = await import('../base/a.ts');", /leaves src\/cli\//],
  ["type A = import('../base/a.ts').A;", /leaves src\/cli\//],
  ["import { a } from '#cli/a.ts';", /stays in src\/cli\//],
  ["import { a } from './a';", /has no \.ts/],
  ["import { a } from './a.js';", /has no \.ts/],
  ["import { join } from 'path';", /write node:path/],
  ["export { a } from './a.ts';\nexport * from './b.ts';", /only passes on/],
] as const;

for (const [text, message] of VIOLATIONS) {
  test(`objects to ${text.replaceAll('\n', ' ')}`, () => {
    const problems = findImportProblems('src/cli/some.ts', text);
    assert.equal(problems.length, 1);
    assert.match(problems[0] ?? '', message);
  });
}

test('accepts what is written the one way', () => {
  const text = [
    "import { join } from 'node:path';",
    "import * as z from 'zod';",
    "import { a } from '#base/a.ts';",
    "import { b } from './output/b.ts';",
    'export const c = a + b + join(z);',
  ].join('\n');
  assert.deepEqual(findImportProblems('src/cli/some.ts', text), []);
  assert.deepEqual(findImportProblems('src/cli/output/some.ts', "import { a } from '../a.ts';"), []);
  assert.deepEqual(
    findImportProblems('src/cli/a.test.ts', "import { a } from '../../test/support/a.ts';"),
    [],
  );
  assert.deepEqual(findImportProblems('src/sdk/index.ts', "export { a } from './a.ts';"), []);
});
