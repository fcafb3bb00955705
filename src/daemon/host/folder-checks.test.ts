import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtempDisposable, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { resolveLayout } from '#contract/layout.ts';
import {
  examineHome,
  fixHome,
  GOOD_HOST,
  rowOf,
  UID,
  withDaemonHome,
  withStatus,
} from '../../../test/support/doctor-host.ts';
import { fixAll } from './check.ts';
import { hostChecks } from './doctor.ts';

const modeOf = async (path: string) => (await stat(path)).mode & 0o777;

test('no room is a failure, and a folder that is not there yet is judged by the one above', async () => {
  await withDaemonHome(async (layout) => {
    const spaceOf = async (stateDir: string) =>
      rowOf(await examineHome({ ...layout, stateDir }), 'disk-space');
    const full = await spaceOf('/proc');
    assert.deepEqual([full.status, full.message.slice(0, 8)], ['fail', '0 B free']);
    assert.match((await spaceOf('/nowhere/at/all')).message, /free in \/$/);
  });
});

test('a damaged store fails, one that is not there yet passes', async () => {
  await withDaemonHome(async (layout) => {
    const findDamage = () => 'page 3 is never used';
    assert.equal(rowOf(await examineHome(layout, { findDamage }), 'store').status, 'pass');
    await writeFile(layout.databasePath, 'x', { mode: 0o600 });
    const row = rowOf(await examineHome(layout, { findDamage }), 'store');
    assert.deepEqual([row.status, /page 3 is never used/.test(row.message)], ['fail', true]);
  });
});

test('what others can reach is found, put right, and then in order', async () => {
  await withDaemonHome(async (layout) => {
    await mkdir(layout.configDir, { recursive: true });
    await writeFile(layout.configPath, '');
    await writeFile(layout.databasePath, '');
    const modes = [
      [layout.stateDir, 0o755, 0o700],
      [layout.vmsDir, 0o600, 0o700],
      [layout.runtimeDir, 0o777, 0o700],
      [layout.configDir, 0o777, 0o755],
      [layout.configPath, 0o666, 0o644],
      [layout.databasePath, 0o644, 0o600],
    ] as const;
    for (const [path, wrong] of modes) await chmod(path, wrong);
    const before = await examineHome(layout);
    assert.deepEqual(withStatus(before, 'fail'), ['state-folder']);
    for (const check of ['runtime-folder', 'config-folder', 'private-files'])
      assert.deepEqual(
        [rowOf(before, check).status, rowOf(before, check).hint],
        ['warn', 'banger doctor --fix'],
      );
    const fixes = await fixHome(layout);
    assert.equal(fixes.length, modes.length);
    assert.ok(fixes.every(({ error }) => error === undefined));
    for (const [path, , right] of modes) assert.equal(await modeOf(path), right, path);
    const after = await examineHome(layout);
    after.delete('disk-space');
    assert.deepEqual([...withStatus(after, 'warn'), ...withStatus(after, 'fail')], []);
    assert.deepEqual(await fixHome(layout), []);
  });
});

test('folders that are not made yet pass, and are made when asked for', async () => {
  await using home = await mkdtempDisposable(join(tmpdir(), 'bgr-doctor-'));
  const layout = resolveLayout({ XDG_RUNTIME_DIR: join(home.path, 'run') }, UID, home.path);
  const rows = await examineHome(layout);
  assert.deepEqual(withStatus(rows, 'fail'), []);
  assert.match(rowOf(rows, 'state-folder').message, /not made yet/);
  assert.equal((await fixHome(layout)).length, 6);
  assert.equal(await modeOf(layout.kernelsDir), 0o700);
  assert.deepEqual(await fixHome(layout), []);
});

test('a folder that is a file, and one of somebody else, fail and are not touched', async () => {
  await withDaemonHome(async (layout) => {
    const file = join(layout.stateDir, 'file');
    await writeFile(file, '');
    const rows = await examineHome({ ...layout, cacheDir: file, configDir: '/' }, { uid: UID });
    assert.match(rowOf(rows, 'cache-folder').message, /is not a folder$/);
    const foreign = await examineHome(layout, { uid: UID + 1 });
    assert.match(
      rowOf(foreign, 'state-folder').message,
      new RegExp(`belongs to uid ${UID}, not to uid ${UID + 1}`),
    );
    assert.match(rowOf(foreign, 'state-folder').hint ?? '', /sudo chown/);
    assert.deepEqual(await fixAll(hostChecks({ ...GOOD_HOST, layout, uid: UID + 1 }), {}), []);
  });
});

test('a link below /tmp is not followed', async () => {
  await withDaemonHome(async (layout) => {
    const link = join(layout.runtimeDir, 'link');
    await symlink('/etc', link);
    assert.match(
      rowOf(await examineHome({ ...layout, cacheDir: link }), 'cache-folder').message,
      /is not a folder$/,
    );
  });
});

test('a socket that others reach is a failure, and is closed to them', async () => {
  await withDaemonHome(async (layout) => {
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(layout.socketPath, resolve));
    try {
      await chmod(layout.socketPath, 0o666);
      assert.match(rowOf(await examineHome(layout), 'socket').message, /mode 0666: others could command/);
      assert.deepEqual(await fixHome(layout), [
        { check: 'socket', action: `gave ${layout.socketPath} mode 0600` },
      ]);
      assert.equal(rowOf(await examineHome(layout), 'socket').status, 'pass');
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });
});

test('what a killed writer left is removed, and nothing else', async () => {
  await withDaemonHome(async (layout) => {
    const partial = join(layout.imagesDir, '.debian.0123abcd.partial');
    const other = join(layout.imagesDir, '.debian.partial');
    await mkdir(partial);
    await writeFile(join(partial, 'rootfs'), '');
    await writeFile(other, '');
    assert.equal(rowOf(await examineHome(layout), 'unfinished-files').message, partial);
    assert.deepEqual(await fixHome(layout), [{ check: 'unfinished-files', action: `removed ${partial}` }]);
    assert.equal(rowOf(await examineHome(layout), 'unfinished-files').message, 'none');
    assert.ok(await stat(other));
  });
});
