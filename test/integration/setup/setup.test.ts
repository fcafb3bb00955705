import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, symlinkSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isSame } from '../../../scripts/setup/npm-packages.ts';
import { runOrThrow, SetupError } from '../../../scripts/setup/run-quietly.ts';
import { Stages } from '../../../scripts/setup/stages.ts';
import { SmallClone } from '../../support/small-clone.ts';
import { NOBODY, otherUser, programsWithout } from './other-user.ts';

test('two set-ups at once both succeed, and one builds', async () => {
  using clone = new SmallClone();
  const results = await Promise.all([clone.launch(), clone.launch(), clone.launch()]);
  for (const { status, stdout, stderr } of results) {
    assert.equal(status, 0, stderr);
    assert.equal(stdout, 'hello');
  }
  const builds = results.filter(({ stderr }) => stderr.includes('bundle done'));
  assert.equal(builds.length, 1);
});

test('a set-up that was killed leaves nothing half', async () => {
  using clone = new SmallClone();
  for (const afterMs of [20, 60, 120, 200, 300]) {
    const child = spawn(join(clone.folder, 'banger'), { env: clone.env, detached: true, stdio: 'ignore' });
    await new Promise((done) => setTimeout(done, afterMs));
    try {
      process.kill(-(child.pid ?? 0), 'SIGKILL');
    } catch {
      // it was faster
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
  const { status, stdout, stderr } = await clone.launch();
  assert.equal(status, 0, stderr);
  assert.equal(stdout, 'hello');
});

test('a clone of somebody else runs as long as it is up to date', otherUser(), async () => {
  using clone = new SmallClone();
  const untouched = await clone.launch({ uid: NOBODY });
  assert.equal(untouched.status, 3);
  assert.match(untouched.stderr, /its owner has to run banger once/);

  await clone.launch();
  assert.deepEqual(await clone.launch({ uid: NOBODY }), { status: 0, stdout: 'hello', stderr: '' });
  // The index is newer than the stamp, which this user cannot renew.
  const later = new Date(Date.now() + 60_000);
  utimesSync(join(clone.folder, '.git/index'), later, later);
  assert.deepEqual(await clone.launch({ uid: NOBODY }), { status: 0, stdout: 'hello', stderr: '' });

  clone.write('src/sdk/index.ts', 'export const other = 1;\n');
  const stale = await clone.launch({ uid: NOBODY });
  assert.equal(stale.status, 3);
  assert.match(stale.stderr, /changed since it was set up/);
});

test('without npm it is said that npm is needed, whichever Node there is', async () => {
  using clone = new SmallClone();
  const bin = programsWithout(clone, ['node', 'npm']);
  symlinkSync(process.execPath, join(bin, 'node'));
  for (const path of ['node_modules', '.runtime/bin']) {
    rmSync(join(clone.folder, path));
    const { status, stderr } = await clone.launch({ env: { PATH: bin } });
    assert.equal(status, 3);
    assert.match(stderr, /^banger: Cannot set up: npm is needed.*\nOn Debian: apt-get install npm\n$/);
  }
});

test('a program that cannot be started fails the set-up, with what it was for', async () => {
  using clone = new SmallClone();
  const stages = new Stages(process.stderr);
  const context = { root: clone.folder, readOnly: false, assumeYes: true, stages } as const;
  await assert.rejects(
    runOrThrow({ ...context, extras: 'nothing' }, 'build it', ['no-such-program', 'x']),
    (error) =>
      error instanceof SetupError &&
      /^Cannot build it: "no-such-program x".*127\n.*ENOENT/.test(error.message),
  );
});

test('npm packages are compared with the lock', () => {
  const wanted = {
    '': { version: '1.0.0' },
    'node_modules/a': { version: '1.0.0', integrity: 'x' },
    'node_modules/b': { version: '1.0.0', optional: true },
  };
  const a = { 'node_modules/a': { version: '1.0.0', integrity: 'x' } };
  assert.equal(isSame(wanted, a), true, 'another platform’s package may be absent');
  assert.equal(isSame(wanted, {}), false);
  assert.equal(isSame(wanted, { 'node_modules/a': { version: '1.0.1', integrity: 'x' } }), false);
  assert.equal(isSame(wanted, { 'node_modules/a': { version: '1.0.0', integrity: 'y' } }), false);
  assert.equal(isSame(wanted, { ...a, 'node_modules/c': { version: '1.0.0' } }), false);
});
