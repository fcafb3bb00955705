import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startDaemon, type DaemonLaunch } from '#host/start-daemon.ts';
import { runProcess } from '../../support/run-process.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bgr-start-'));
});
after(() => rm(folder, { recursive: true, force: true }));

const TELL = `
const { writeSync, closeSync } = require('node:fs');
const fd = Number(process.env.BANGER_READY_FD);
const tell = (message) => { writeSync(fd, JSON.stringify(message) + '\\n'); closeSync(fd); };
const serve = (path) => require('node:net').createServer((socket) => socket.end()).listen(path);
`;

async function launchOf(name: string, code: string, timeoutMs?: number): Promise<DaemonLaunch> {
  const entry = join(folder, `${name}.cjs`);
  await writeFile(entry, TELL + code);
  return {
    program: process.execPath,
    entry,
    socketPath: join(folder, `${name}.sock`),
    logPath: join(folder, name, 'bangerd.log'),
    env: { PATH: process.env['PATH'] },
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
}

test('a daemon that is ready outlives its starter, in a session of its own, with a private log', async () => {
  const pidPath = join(folder, 'pid');
  const launch = await launchOf(
    'good',
    `console.log('hello'); require('node:fs').writeFileSync(${JSON.stringify(pidPath)}, String(process.pid)); tell({ ready: true }); setInterval(() => {}, 1000);`,
  );
  assert.deepEqual(await startDaemon(launch), { ready: true });
  const pid = Number(await readFile(pidPath, 'utf8'));
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? [];
  process.kill(pid, 'SIGKILL');
  assert.equal(Number(fields[3]), pid, 'leads its session');
  assert.equal((await stat(launch.logPath)).mode & 0o777, 0o600);
  assert.match(await readFile(launch.logPath, 'utf8'), /hello/);
});

test('what it says of its failure comes back', async () => {
  const failure = { code: 'STORE_TOO_NEW', message: 'Cannot open the store', hint: 'upgrade' };
  const launch = await launchOf('bad', `tell({ error: ${JSON.stringify(failure)} }); process.exit(1);`);
  const outcome = await startDaemon(launch);
  assert.deepEqual(outcome, { ready: false, failure, logTail: '' });
});

test('one that dies without a word is shown by its log', async () => {
  const launch = await launchOf('dead', `console.error('last words'); process.exit(1);`);
  assert.deepEqual(await startDaemon(launch), { ready: false, failure: undefined, logTail: 'last words\n' });
});

test('one that hangs is given up', async () => {
  const launch = await launchOf('hung', `console.error('thinking'); setTimeout(() => {}, 3000);`, 1000);
  const outcome = await startDaemon(launch);
  assert.deepEqual(outcome, { ready: false, failure: undefined, logTail: 'thinking\n' });
});

test('the loser of a race takes the daemon of the winner, as soon as that one serves', async () => {
  const running = { code: 'DAEMON_ALREADY_RUNNING', message: 'Cannot start: one runs' };
  const launch = await launchOf(
    'race',
    `tell({ error: ${JSON.stringify(running)} }); setTimeout(() => serve(${JSON.stringify(join(folder, 'race.sock'))}), 200); setTimeout(() => process.exit(), 2000);`,
  );
  assert.deepEqual(await startDaemon(launch), { ready: true });
});

test('waiting can be aborted', async () => {
  const launch = await launchOf('slow', `setTimeout(() => {}, 2000);`);
  const signal = AbortSignal.abort(new Error('enough'));
  await assert.rejects(startDaemon(launch, { signal }), /enough/);
});

test('a program that cannot be run is a system error', async () => {
  const launch = await launchOf('none', '');
  await assert.rejects(startDaemon({ ...launch, program: '/no/such/program' }), { code: 'ENOENT' });
});

test('the command line shows the log of a daemon that does not start', async () => {
  const blocked = join(folder, 'blocked');
  await writeFile(blocked, 'a file where a folder should be');
  const banger = join(import.meta.dirname, '../../../src/bin/banger.ts');
  const result = await runProcess(process.execPath, [banger, 'vm', 'list'], {
    env: {
      PATH: process.env['PATH'],
      HOME: folder,
      XDG_RUNTIME_DIR: blocked,
      XDG_STATE_HOME: join(folder, 'state'),
    },
  });
  assert.match(result.stderr, /^banger: error: Cannot /);
  assert.ok(result.status === 3 || result.status === 4, `status ${result.status}`);
});
