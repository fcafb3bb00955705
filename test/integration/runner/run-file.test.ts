import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { runCommand } from '../../support/run-command.ts';
import { runFile, type FileResult } from '../../support/run-file.ts';

const LIMITS = { testTimeoutMs: 1000, fileTimeoutMs: 20_000 };

/** Runs this text as a test file; each outcome as "name outcome". */
async function outcomesOf(
  text: string,
  limits = LIMITS,
): Promise<{ result: FileResult; outcomes: string[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'runner-'));
  try {
    writeFileSync(join(folder, 'some.test.ts'), text);
    const logFolder = join(folder, 'log');
    const result = await runFile('some.test.ts', { root: folder, logFolder, env: process.env, ...limits });
    return { result, outcomes: result.tests.map(({ name, outcome }) => `${name}: ${outcome}`) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const IMPORTS = "import { describe, test } from 'node:test';\nimport assert from 'node:assert/strict';\n";

test('each test counts once, with the names around it', async () => {
  const { result, outcomes } = await outcomesOf(`${IMPORTS}
    describe('group', () => {
      test('passes', () => {});
      test('fails', () => { console.log('noise'); assert.equal(1, 2); });
      test('waits', { skip: 'needs a moon' }, () => {});
    });
    describe('far', { skip: 'needs a sun' }, () => { test('unseen', () => {}); });
    test('parent', async (t) => { await t.test('child', () => {}); });
  `);
  assert.deepEqual(outcomes, [
    'group > passes: pass',
    'group > fails: fail',
    'group > waits: skip',
    'far: skip',
    'parent > child: pass',
    'parent: pass',
  ]);
  assert.match(result.tests[1]?.text ?? '', /1 !== 2/);
  assert.equal(result.tests[2]?.text, 'needs a moon');
  assert.equal(result.tests[3]?.text, 'needs a sun');
  assert.match(result.output, /noise/);
});

const BROKEN = [
  { what: 'cannot be loaded', text: "import 'nothing-of-this-name';", problem: /ended with status 1/ },
  { what: 'holds no test', text: 'export const a = 1;', problem: /contains no test/ },
  {
    what: 'exits in a test',
    text: `${IMPORTS} test('a', () => process.exit(0));`,
    problem: /contains no test/,
  },
  {
    what: 'exits well before its last test',
    text: `${IMPORTS} test('a', () => {}); test('b', () => { setTimeout(() => process.exit(0), 200); return new Promise(() => {}); });`,
    problem: /ended before its tests did/,
  },
  {
    what: 'exits after a test',
    text: `${IMPORTS} test('a', () => {}); test('b', () => process.exit(3));`,
    problem: /status 3/,
  },
  { what: 'kills itself', text: "process.kill(process.pid, 'SIGKILL');", problem: /ended by SIGKILL/ },
  {
    what: 'has a test that hangs',
    text: `${IMPORTS} test('a', () => new Promise(() => setTimeout(() => {}, 3000)));`,
    problem: /timed out after 1000/,
  },
  {
    what: 'fails in a hook',
    text: `${IMPORTS} import { before } from 'node:test'; before(() => { throw new Error('hook'); }); test('a', () => {});`,
    problem: /hook/,
  },
];

for (const { what, text, problem } of BROKEN) {
  test(`a file that ${what} fails`, async () => {
    const { result } = await outcomesOf(text);
    const failures = result.tests.filter(({ outcome }) => outcome === 'fail').map((one) => one.text);
    assert.ok(
      failures.some((one) => problem.test(one)),
      failures.join('\n') || 'no failure',
    );
  });
}

test('a file that never ends is killed', async () => {
  const { result } = await outcomesOf('setInterval(() => {}, 1000);', {
    testTimeoutMs: 1000,
    fileTimeoutMs: 1500,
  });
  assert.match(result.tests[0]?.text ?? '', /killed after 1\.5 s/);
});

test('a program that counts for itself is believed only when that fits its status', async () => {
  const cases = [
    ['echo "some: 2 passed, 1 failed"; exit 1', 2, 1],
    ['echo "some: 2 passed, 0 failed"; echo more', 2, 0],
    ['echo "some: 2 passed, 0 failed"; exit 1', 2, 1],
    ['echo "some: 0 passed, 0 failed"', 0, 1],
    ['echo nothing', 0, 1],
    ['sleep 0.01; kill -9 $$', 0, 1],
  ] as const;
  const logFolder = mkdtempSync(join(tmpdir(), 'runner-'));
  const options = { cwd: '/', env: process.env, logFolder, timeoutMs: 10_000 };
  for (const [script, passed, failed] of cases) {
    const { tests } = await runCommand('some', ['sh', '-c', script], options);
    const count = (outcome: string) => tests.filter((one) => one.outcome === outcome).length;
    assert.deepEqual([count('pass'), count('fail')], [passed, failed], script);
  }
  rmSync(logFolder, { recursive: true });
});
