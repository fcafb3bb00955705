import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { SmallClone } from '../../support/small-clone.ts';

const RUN = resolve(import.meta.dirname, '../../../.ci/run');

/** Runs .ci/run with an npm that does what `script` says. */
function runWith(script: string): { status: number | null; lines: string[] } {
  using clone = new SmallClone();
  const bin = join(clone.folder, 'bin');
  mkdirSync(bin);
  clone.write('bin/npm', `#!/bin/sh\n[ "$*" = test ] || exit 99\n${script}\n`);
  chmodSync(join(bin, 'npm'), 0o755);
  const env = { ...clone.env, PATH: `${bin}:${process.env['PATH']}` };
  const { status, stdout } = spawnSync(RUN, { cwd: '/', env, encoding: 'utf8' });
  return { status, lines: stdout.trimEnd().split('\n') };
}

const CASES = [
  { script: 'echo noise; echo "12 passed, 0 failed"', status: 0, last: '12 passed, 0 failed' },
  { script: 'echo "3 passed, 2 failed"; echo "npm error"; exit 1', status: 1, last: '3 passed, 2 failed' },
  { script: 'echo "npm error"; exit 7', status: 7, last: '0 passed, 1 failed' },
  { script: 'echo "all good"', status: 1, last: '0 passed, 1 failed' },
  { script: 'echo "1 passed, 1 failed"', status: 1, last: '1 passed, 1 failed' },
  { script: 'echo "CI=$CI in $(pwd)"; echo "1 passed, 0 failed"', status: 0, last: '1 passed, 0 failed' },
];

for (const { script, status, last } of CASES) {
  test(`.ci/run ends with "${last}" and ${status} after: ${script}`, () => {
    const result = runWith(script);
    assert.equal(result.lines.at(-1), last);
    assert.equal(result.status, status);
  });
}

test('.ci/run goes to its repository and says that this is CI', () => {
  const { lines } = runWith('echo "CI=$CI in $(pwd)"; echo "1 passed, 0 failed"');
  assert.equal(lines[0], `CI=true in ${resolve(import.meta.dirname, '../../..')}`);
});
