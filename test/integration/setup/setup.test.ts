import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  lstatSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { isSame } from '../../../scripts/setup/npm-packages.ts';
import { SmallClone } from '../../support/small-clone.ts';

const NOBODY = 65534;
const ROOT = resolve(import.meta.dirname, '../../..');

/** What a test needs that runs a clone as another user. */
function otherUser(): { skip?: string } {
  if (process.getuid?.() !== 0) return { skip: 'needs root to become another user' };
  for (let folder = ROOT; folder !== '/'; folder = dirname(folder)) {
    if ((lstatSync(folder).mode & 0o005) !== 0o005)
      return { skip: `needs ${folder} to be open for everybody` };
  }
  return {};
}

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

test(
  'missing Debian packages are named with the command, where nobody can be asked',
  otherUser(),
  async () => {
    using clone = new SmallClone();
    for (const path of ['.', '.runtime']) chownSync(join(clone.folder, path), NOBODY, NOBODY);
    const bin = programsWithout(clone, ['qemu-img', 'passt']);
    const result = await clone.launch({ uid: NOBODY, env: { PATH: bin } });
    assert.equal(result.status, 3);
    assert.equal(result.stdout, '');
    const install = 'sudo apt-get install -y --no-install-recommends passt qemu-utils';
    assert.ok(result.stderr.includes(`\n  sudo apt-get update && ${install}\n`), result.stderr);
  },
);

/** A folder with links to all programs of the host but these. */
function programsWithout(clone: SmallClone, names: readonly string[]): string {
  const bin = join(clone.folder, 'bin');
  mkdirSync(bin);
  chmodSync(bin, 0o755);
  for (const name of readdirSync('/usr/bin')) {
    if (!names.includes(name)) symlinkSync(join('/usr/bin', name), join(bin, name));
  }
  for (const name of names) assert.throws(() => accessSync(join('/usr/sbin', name), constants.X_OK));
  return bin;
}

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
