import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readRepositoryFile, repositoryFiles } from './support/repository.ts';
import { findTextProblems } from './support/text-problems.ts';

const TEXT = [
  ...['.ts', '.mjs', '.json', '.c', '.h', '.md', '.sh', '.sql', 'Makefile'],
  ...['banger', '.ci/run', 'pre-commit'],
];

test('nothing is left for later, and nothing names the machine that it was written on', () => {
  // This file holds violations on purpose.
  const paths = repositoryFiles(...TEXT).filter((path) => path !== 'test/architecture/text.test.ts');
  assert.ok(paths.includes('package.json') && paths.includes('banger'));
  assert.deepEqual(
    paths.flatMap((path) => findTextProblems(path, readRepositoryFile(path))),
    [],
  );
});

const MACHINE = ['/builds/banger', '/builds', '/home/jane'];

const VIOLATIONS = [
  '// TODO: later',
  '  /* FIXME */',
  "test.only('a', () => {});",
  "test('a', { only: true }, () => {});",
  "const folder = '/builds/banger/src';",
  'cd /builds/other && make',
  'see /home/jane.',
  `"resolved": "https://${['registry.np', 'mjs'].join('')}.org/zod"`,
];

for (const text of VIOLATIONS) {
  test(`objects to ${text}`, () => {
    assert.equal(new Set(findTextProblems('some.ts', text, MACHINE)).size > 0, true);
  });
}

test('accepts ordinary text', () => {
  const texts = [
    'the only: truth',
    '~/builds',
    'a/builds/b',
    '/builds-old/x',
    '/home/ada/.config',
    'cd /tmp/x',
  ];
  for (const text of texts)
    assert.deepEqual(findTextProblems('some.ts', text, [...MACHINE, '/tmp', '/root']), []);
});
