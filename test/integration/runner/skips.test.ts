import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { ALLOWED_SKIPS } from '../../support/allowed-skips.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const IMPORTED = ['src/base', 'src/contract', 'src/host'];

const PASSING = "import { test } from 'node:test';\ntest('passes', () => {});\n";
const skipping = (reason: string) => `${PASSING}test('waits', { skip: '${reason}' }, () => {});\n`;

/** Runs the unit suite of a repository that has only these test files. */
function runSuite(files: Readonly<Record<string, string>>, env: NodeJS.ProcessEnv) {
  const folder = mkdtempSync(join(tmpdir(), 'runner-'));
  try {
    for (const path of ['package.json', 'test/run.ts', 'test/support']) {
      cpSync(join(ROOT, path), join(folder, path), { recursive: true });
    }
    mkdirSync(join(folder, 'src'));
    for (const path of IMPORTED) symlinkSync(join(ROOT, path), join(folder, path));
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    const args = [join(folder, 'test/run.ts'), 'unit', 'moon', 'runtime-folders'];
    const { status, stdout } = spawnSync(process.execPath, args, {
      env: { PATH: process.env['PATH'], ...env },
      encoding: 'utf8',
    });
    return { status, stdout, last: stdout.trimEnd().split('\n').at(-1) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const MOON = { 'src/some/moon.test.ts': skipping('needs a moon') };

test('in CI a skipped test has failed, and is named with its reason', () => {
  const { status, stdout, last } = runSuite(MOON, { CI: 'true' });
  assert.deepEqual([status, last], [1, '1 passed, 1 failed'], stdout);
  assert.match(stdout, /^FAIL {2}src\/some\/moon\.test\.ts/m);
  assert.match(stdout, /moon\.test\.ts:3 {2}waits\n +skipped, which is not allowed here: needs a moon/);
});

test('elsewhere it is told, and fails nothing', () => {
  const { status, stdout, last } = runSuite(MOON, {});
  assert.deepEqual([status, last], [0, '1 passed, 0 failed'], stdout);
  assert.match(stdout, /^skip {2}src\/some\/moon\.test\.ts {2}waits: needs a moon$/m);
});

test('in CI a skip is allowed for the file and the reason in the list, and for no other', () => {
  const path = 'src/daemon/runtime-folders.test.ts';
  const listed = { [path]: skipping('needs /tmp as temporary folder') };
  assert.deepEqual(runSuite(listed, { CI: 'true' }).last, '1 passed, 0 failed');
  assert.deepEqual(runSuite({ [path]: skipping('needs a moon') }, { CI: 'true' }).last, '1 passed, 1 failed');
});

test('the files in the list are there', () => {
  for (const { file } of ALLOWED_SKIPS) assert.ok(existsSync(join(ROOT, file)), file);
});
