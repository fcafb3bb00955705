import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtempDisposable, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { resolveLayout, type Layout } from '#contract/layout.ts';
import { buildLabel } from '#contract/version.ts';
import { examinationSchema, type DoctorFix, type DoctorRow } from '#contract/owner/host.ts';
import { openDatabase } from '#store/database.ts';
import { runProcess, type ProcessResult } from '../../support/run-process.ts';
import { runBanger, BANGER } from './run-banger.ts';
import { ScriptedDaemon } from './scripted-daemon.ts';

interface Home {
  layout: Layout;
  banger: (args: string[], env?: NodeJS.ProcessEnv) => Promise<ProcessResult>;
  doctor: (
    args?: string[],
    env?: NodeJS.ProcessEnv,
  ) => Promise<{ rows: Rows; fixes: DoctorFix[]; status: number }>;
}

type Rows = Map<string, DoctorRow>;

const UID = process.getuid?.() ?? 0;

/** A home with the real command line and the real daemon, which is stopped at the end. */
async function withHome(body: (home: Home) => Promise<void>): Promise<void> {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'bgr-doctor-'));
  const own = { PATH: process.env['PATH'], HOME: folder.path, XDG_RUNTIME_DIR: join(folder.path, 'run') };
  const layout = resolveLayout(own, UID, folder.path);
  const banger: Home['banger'] = (args, env) =>
    runProcess(process.execPath, [BANGER, ...args], { env: { ...own, ...env } });
  const doctor: Home['doctor'] = async (args = [], env) => {
    const { text, status } = await banger(['doctor', '--json', ...args], env);
    const { rows, fixes } = examinationSchema.parse({ fixes: [], ...JSON.parse(text) });
    return { rows: new Map(rows.map((row) => [row.check, row])), fixes, status };
  };
  await mkdir(join(folder.path, 'run'), { mode: 0o700 });
  try {
    await body({ layout, banger, doctor });
  } finally {
    await banger(['daemon', 'stop']);
  }
}

function rowOf(rows: Rows, check: string): DoctorRow {
  return rows.get(check) ?? assert.fail(`no row "${check}" among ${[...rows.keys()].join(', ')}`);
}

const failing = (rows: Rows) =>
  [...rows.values()].filter(({ status }) => status === 'fail').map(({ check }) => check);

async function makeState(layout: Layout): Promise<void> {
  for (const path of [layout.vmsDir, layout.imagesDir, layout.kernelsDir, layout.cacheDir, layout.runtimeDir])
    await mkdir(path, { recursive: true, mode: 0o700 });
}

test('a daemon that runs and an examination without one find the same', async () => {
  await withHome(async ({ layout, doctor, banger }) => {
    const withDaemon = await doctor();
    assert.deepEqual(failing(withDaemon.rows), []);
    assert.equal(withDaemon.status, 0);
    assert.match(rowOf(withDaemon.rows, 'daemon').message, /, pid \d+$/);
    assert.match(rowOf(withDaemon.rows, 'network').message, /passt \d/);
    await banger(['daemon', 'stop']);
    await writeFile(layout.databasePath, 'no database at all, and long enough to be looked at');
    const without = await doctor();
    const ofTheDaemon = ['daemon', 'store', 'image', 'kernel', 'socket', 'unfinished-files'];
    const shared = [...without.rows.values()].filter(({ check }) => !ofTheDaemon.includes(check));
    assert.ok(shared.length > 15);
    for (const row of shared.filter(({ check }) => check !== 'disk-space' && check !== 'clock'))
      assert.deepEqual(row, rowOf(withDaemon.rows, row.check));
  });
});

test('a broken store is a failing row among all the others', async () => {
  await withHome(async ({ layout, doctor, banger }) => {
    await makeState(layout);
    await writeFile(layout.databasePath, 'this is no database, but it is a file of some length', {
      mode: 0o600,
    });
    const { rows, status } = await doctor();
    assert.equal(status, 1);
    assert.deepEqual(failing(rows), ['daemon', 'store']);
    for (const check of ['kernel', 'image']) assert.equal(rowOf(rows, check).hint, 'see the row store');
    assert.match(rowOf(rows, 'daemon').message, /\[STORE_UNREADABLE\]/);
    assert.match(rowOf(rows, 'store').message, /Cannot open the state store .*not a database/);
    assert.match(rowOf(rows, 'store').hint ?? '', /backup/);
    assert.equal(rowOf(rows, 'qemu-img').status, 'pass');
    assert.match((await banger(['doctor'])).text, /^FAIL {2}store: /m);
    const text = await readFile(layout.databasePath, 'utf8');
    assert.match(text, /^this is no database/, 'it is looked at, not touched');
  });
});

test('a page of the store that is overwritten is found', async () => {
  await withHome(async ({ layout, doctor }) => {
    await makeState(layout);
    const database = openDatabase(layout.databasePath);
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    database.close();
    const bytes = await readFile(layout.databasePath);
    bytes.fill(0xff, 4096, 3 * 4096);
    await writeFile(layout.databasePath, bytes, { mode: 0o600 });
    assert.equal(rowOf((await doctor()).rows, 'store').status, 'fail');
  });
});

test('a key that is none, and a file that cannot be read, are rows of the configuration', async () => {
  await withHome(async ({ layout, doctor, banger }) => {
    await mkdir(layout.configDir, { recursive: true });
    await writeFile(layout.configPath, 'bridge_name = "br0"\n');
    const { rows } = await doctor();
    assert.deepEqual(failing(rows), ['daemon', 'config']);
    assert.equal(rowOf(rows, 'vm-defaults').hint, 'see the row config');
    assert.match(rowOf(rows, 'config').message, /"bridge_name": there is no such key/);
    assert.match(rowOf(rows, 'config').hint ?? '', /banger config unset bridge_name/);
    await banger(['config', 'unset', 'bridge_name']);
    await banger(['config', 'set', 'vm_defaults.vcpu', '1']);
    const after = await doctor();
    assert.deepEqual(failing(after.rows), []);
    assert.match(rowOf(after.rows, 'vm-defaults').message, /^1 vCPUs \(config\)/);
    await banger(['config', 'set', 'vm_defaults.vcpu', '2']);
    assert.match(rowOf((await doctor()).rows, 'config').message, /changed after the daemon started/);
  });
  await withHome(async ({ layout, doctor }) => {
    await mkdir(layout.configPath, { recursive: true });
    const { rows } = await doctor();
    assert.match(rowOf(rows, 'config').message, /EISDIR/);
    assert.match(rowOf(rows, 'hypervisor').message, /^qemu \d/);
  });
});

test('without QEMU and passt each is a row with the package', async () => {
  await withHome(async ({ layout, doctor }) => {
    await mkdir(layout.stateDir, { recursive: true });
    const { rows, status } = await doctor([], { PATH: layout.stateDir });
    assert.equal(status, 1);
    assert.deepEqual(failing(rows), ['hypervisor', 'network', 'qemu-img']);
    assert.equal(rowOf(rows, 'hypervisor').hint, 'apt-get install qemu-system-x86');
    assert.equal(rowOf(rows, 'network').hint, 'apt-get install passt');
  });
});

/** A socket file that nobody listens on any more. */
async function leaveSocket(path: string): Promise<void> {
  const keeper = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  await runProcess(process.execPath, ['-e', keeper]);
  assert.ok((await stat(path)).isSocket());
}

test('--fix puts right what is ours, and a second run finds nothing to do', async () => {
  await withHome(async ({ layout, doctor }) => {
    await makeState(layout);
    await writeFile(layout.logPath, '');
    for (const path of [layout.stateDir, layout.cacheDir]) await chmod(path, 0o755);
    await chmod(layout.logPath, 0o644);
    await leaveSocket(layout.socketPath);
    await mkdir(join(layout.imagesDir, '.debian-bookworm.0123abcd.partial'));
    const first = await doctor(['--fix']);
    assert.deepEqual(
      first.fixes.map(({ check, error }) => [check, error]),
      [
        ['state-folder', undefined],
        ['cache-folder', undefined],
        ['private-files', undefined],
        ['socket', undefined],
        ['unfinished-files', undefined],
      ],
    );
    assert.deepEqual(failing(first.rows), []);
    assert.equal((await stat(layout.stateDir)).mode & 0o777, 0o700);
    assert.deepEqual((await doctor(['--fix'])).fixes, []);
  });
});

test('--fix replaces a daemon of another build', async () => {
  await using daemon = await ScriptedDaemon.start();
  daemon.build = '9.9.9 (abc)';
  const before = await runBanger(daemon, ['doctor', '--json']);
  const [row] = JSON.parse(before.text).rows;
  assert.deepEqual([row.check, row.status, row.hint], ['daemon', 'fail', 'banger doctor --fix']);
  try {
    const fixed = JSON.parse((await runBanger(daemon, ['doctor', '--fix', '--json'])).text);
    assert.match(fixed.fixes[0].action, /^stopped the daemon of 9\.9\.9 \(abc\)/);
    assert.ok(fixed.rows[0].message.startsWith(buildLabel()));
    assert.deepEqual([fixed.rows[0].check, fixed.rows[0].status], ['daemon', 'pass']);
  } finally {
    await runBanger(daemon, ['daemon', 'stop']);
  }
});

test('a socket that hangs up is no reason to fail: the rest is examined', async () => {
  await withHome(async ({ layout, doctor }) => {
    await makeState(layout);
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(layout.socketPath, resolve));
    try {
      const { rows } = await doctor();
      assert.match(rowOf(rows, 'daemon').message, /\[DAEMON_UNREACHABLE\]/);
      assert.equal(rowOf(rows, 'qemu-img').status, 'pass');
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });
});
