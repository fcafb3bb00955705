import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { SnippetTree } from './support/snippet-tree.ts';

interface Case {
  path: string;
  text: string;
  /** The rule that must object; undefined when the code is fine. */
  rule?: string;
}

const readsEnvironment = 'export const home = process.env.HOME;\n';
const logs = "console.log('a');\n";

const CASES: readonly Case[] = [
  { path: 'src/host/environment.ts', text: readsEnvironment, rule: 'no-process-env' },
  {
    path: 'src/host/import.ts',
    text: "import { env } from 'node:process';\nexport const home = env['HOME'];\n",
    rule: 'no-restricted-imports',
  },
  { path: 'src/daemon/config.ts', text: readsEnvironment },
  { path: 'src/host/child-environment.ts', text: readsEnvironment },
  { path: 'src/cli/environment.ts', text: readsEnvironment },
  { path: 'src/bin/banger.ts', text: readsEnvironment },
  { path: 'src/cli/commands/log.ts', text: logs, rule: 'no-console' },
  { path: 'src/daemon/log.ts', text: logs, rule: 'no-console' },
  { path: 'src/cli/output/log.ts', text: logs },
  { path: 'src/base/default.ts', text: 'export default 1;\n', rule: 'no-default-export' },
  { path: 'src/base/any.ts', text: 'export const a = (b: any) => b as unknown;\n', rule: 'no-explicit-any' },
  {
    path: 'src/base/non-null.ts',
    text: 'export const a = (b?: string) => b!.length;\n',
    rule: 'no-non-null-assertion',
  },
  {
    path: 'src/base/type-import.ts',
    text: "import { Any } from './any-type.ts';\nexport const a = (b: Any) => b;\n",
    rule: 'consistent-type-imports',
  },
  { path: 'src/base/any-type.ts', text: 'export type Any = string;\n' },
  {
    path: 'src/base/floating.ts',
    text: 'const a = async () => 1;\nexport const b = () => {\n  a();\n};\n',
    rule: 'no-floating-promises',
  },
  {
    path: 'src/base/misused.ts',
    text: 'const a = async () => true;\nexport const b = () => [1].filter(a);\n',
    rule: 'no-misused-promises',
  },
  { path: 'src/base/awaits.ts', text: 'export const a = async () => await 1;\n', rule: 'await-thenable' },
  {
    path: 'src/base/switch.ts',
    text: "export const a = (b: 'c' | 'd') => {\n  switch (b) {\n    case 'c':\n      return 1;\n  }\n  return 2;\n};\n",
    rule: 'switch-exhaustiveness-check',
  },
  {
    path: 'src/base/throws.ts',
    text: "export const a = () => {\n  throw 'b';\n};\n",
    rule: 'only-throw-error',
  },
  {
    path: 'src/base/parameters.ts',
    text: 'export const a = (b: 1, c: 1, d: 1, e: 1, f: 1) => b + c + d + e + f;\n',
    rule: 'max-params',
  },
  { path: 'src/base/long-file.ts', text: 'export {};\n'.repeat(401), rule: 'max-lines' },
  {
    path: 'src/base/long-function.ts',
    text: `export const a = () => {\n${'  void 0;\n'.repeat(60)}};\n`,
    rule: 'max-lines-per-function',
  },
  { path: 'src/base/some.test.ts', text: "import { test } from 'node:test';\ntest('a', async () => {});\n" },
];

test('each lint rule objects to its violation, and the same code passes where it is allowed', () => {
  using tree = new SnippetTree(new Map(CASES.map(({ path, text }) => [path, text])));
  const program = join(tree.folder, 'node_modules/.bin/oxlint');
  const { stdout } = spawnSync(program, ['--format=json', 'src'], { cwd: tree.folder, encoding: 'utf8' });
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: { filename: string; code: string }[] };
  const problems = CASES.flatMap(({ path, rule }) => {
    const codes = diagnostics.filter(({ filename }) => filename === path).map(({ code }) => code);
    const isRight =
      rule === undefined ? codes.length === 0 : codes.some((code) => code.includes(`(${rule})`));
    return isRight ? [] : [`${path}: expected ${rule ?? 'nothing'}, got ${codes.join(' ') || 'nothing'}`];
  });
  assert.deepEqual(problems, []);
});
