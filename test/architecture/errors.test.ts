import assert from 'node:assert/strict';
import { test } from 'node:test';
import ts from 'typescript';
import { headings } from './support/markdown.ts';
import { readRepositoryFile, repositoryFiles } from './support/repository.ts';

const CODE = /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/;

/** The keys of ERROR_STATUS. */
function declaredCodes(text: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isVariableDeclaration(node) && node.name.getText() === 'ERROR_STATUS') {
      const keys = [...node.getText().matchAll(/^\s*'?([A-Z][A-Z0-9_]*)'?:/gm)];
      found.push(...keys.map((match) => match[1] ?? ''));
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('errors.ts', text, ts.ScriptTarget.Latest, true));
  return found;
}

/** The literal codes of `new UserError('CODE', …)`. */
function thrownCodes(path: string, text: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    const [first] = ts.isNewExpression(node) ? (node.arguments ?? []) : [];
    if (
      ts.isNewExpression(node) &&
      node.expression.getText() === 'UserError' &&
      first &&
      ts.isStringLiteral(first)
    ) {
      found.push(first.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true));
  return found;
}

const declared = declaredCodes(readRepositoryFile('src/contract/errors.ts'));
const thrown = repositoryFiles('.ts')
  .filter((path) => path.startsWith('src/') && !path.endsWith('.test.ts'))
  .flatMap((path) => thrownCodes(path, readRepositoryFile(path)));

test('each error code has its entry in docs/errors.md, and each entry its code', () => {
  assert.ok(declared.length > 0 && thrown.length > 0);
  const documented = headings(readRepositoryFile('docs/errors.md'), 3).map((title) =>
    title.replaceAll('`', ''),
  );
  assert.deepEqual(missing(declared, documented), [], 'codes without an entry');
  assert.deepEqual(missing(documented, declared), [], 'entries without a code');
  assert.deepEqual(documented.toSorted(), [...new Set(documented)].toSorted(), 'entries twice');
});

test('each error that is thrown has a declared code of the usual form', () => {
  assert.deepEqual(missing(thrown, declared), []);
  assert.deepEqual(
    declared.filter((code) => !CODE.test(code)),
    [],
  );
});

test('codes are found where they are declared and thrown', () => {
  assert.deepEqual(
    declaredCodes("export const ERROR_STATUS = {\n  // x\n  A_B: 400,\n  'C': 500,\n} as const;"),
    ['A_B', 'C'],
  );
  assert.deepEqual(thrownCodes('a.ts', "throw new UserError('A_B', `x`); new Other('C');"), ['A_B']);
});

function missing(wanted: readonly string[], present: readonly string[]): string[] {
  return [...new Set(wanted)].filter((one) => !present.includes(one));
}
