import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { runBanger } from './run-banger.ts';
import { ScriptedDaemon } from './scripted-daemon.ts';
import { RunningBanger } from './spawn-banger.ts';

let daemon: ScriptedDaemon;
before(async () => {
  daemon = await ScriptedDaemon.start();
  daemon.addVm('demo');
});
after(() => daemon[Symbol.asyncDispose]());

const exec = (...words: string[]) => runBanger(daemon, ['vm', 'exec', 'demo', '--', ...words]);

test('words arrive as they are, and the status comes back', async () => {
  const result = await exec(
    'sh',
    '-c',
    'printf "<%s>" "$@"; exit 42',
    'sh',
    'a b',
    "it's",
    '',
    '--',
    '$HOME',
    '-x',
  );
  assert.equal(result.text, "<a b><it's><><--><$HOME><-x>");
  assert.equal(result.status, 42);
});

test('stdout and stderr stay apart', async () => {
  const { text, stderr, status } = await exec('sh', '-c', 'echo out; echo err >&2');
  assert.deepEqual([text, stderr, status], ['out', 'err\n', 0]);
});

test('a signal n ends it with 128 + n', async () => {
  assert.equal((await exec('sh', '-c', 'kill -9 $$')).status, 137);
});

test('a program that is not there, or cannot be executed', async () => {
  const missing = await exec('/no/such/program');
  assert.match(missing.stderr, /\[COMMAND_NOT_FOUND\]/);
  assert.equal(missing.status, 127);
  assert.equal((await exec('/etc/passwd')).status, 126);
});

test('without -i the command reads nothing', async () => {
  const result = await runBanger(daemon, ['vm', 'exec', 'demo', '--', 'cat'], { input: 'not passed on' });
  assert.deepEqual([result.text, result.status], ['', 0]);
});

test('64 MiB of random bytes go through unchanged', async () => {
  const input = randomBytes(64 * 2 ** 20);
  const result = await runBanger(daemon, ['vm', 'exec', '-i', 'demo', '--', 'cat'], { input });
  assert.equal(result.stderr, '');
  const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
  assert.equal(hash(result.stdout), hash(input));
  assert.equal(result.status, 0);
});

test('a command that does not read its input does not block or fail', async () => {
  const result = await runBanger(daemon, ['vm', 'exec', '-i', 'demo', '--', 'true'], {
    input: randomBytes(8 * 2 ** 20),
  });
  assert.deepEqual([result.stderr, result.status], ['', 0]);
});

test('flags of exec reach the daemon', async () => {
  await runBanger(
    daemon,
    [
      'vm',
      'exec',
      '-w',
      '/srv',
      '-u',
      'nobody',
      '-e',
      'A=b=c',
      '--env=B=',
      '-e',
      'FROM_HERE',
      '-e',
      'NOT_SET',
      'dem',
      '--',
      'true',
    ],
    { env: { FROM_HERE: 'yes' } },
  );
  const { cwd, user, env, tty = false } = daemon.execRequests.at(-1) ?? {};
  assert.deepEqual(
    { cwd, user, env, tty },
    { cwd: '/srv', user: 'nobody', env: { A: 'b=c', B: '', FROM_HERE: 'yes' }, tty: false },
  );
});

test('a VM that is not there', async () => {
  const result = await runBanger(daemon, ['vm', 'exec', 'nope', '--', 'true']);
  assert.match(result.stderr, /\[VM_NOT_FOUND\]/);
  assert.equal(result.status, 3);
});

test('a closed pipe ends it quietly', async () => {
  const banger = new RunningBanger(daemon, ['vm', 'exec', 'demo', '--', 'yes']);
  await banger.says(/^y$/m);
  banger.child.stdout.destroy();
  assert.deepEqual([await banger.ended, banger.stderr], [141, '']);
});

test('Ctrl-C reaches the command, whose status counts', async () => {
  const script = "trap 'echo got it; exit 7' INT; echo ready; while :; do sleep 0.05; done";
  const banger = new RunningBanger(daemon, ['vm', 'exec', 'demo', '--', 'sh', '-c', script]);
  await banger.says(/ready/);
  banger.interrupt();
  assert.equal(await banger.ended, 7);
  assert.match(banger.stdout, /got it/);
});

test('the second Ctrl-C kills the command', async () => {
  const script = "trap 'echo no' INT; echo ready; while :; do sleep 0.05; done";
  const banger = new RunningBanger(daemon, ['vm', 'exec', 'demo', '--', 'sh', '-c', script]);
  await banger.says(/ready/);
  banger.interrupt();
  await banger.says(/no/);
  banger.interrupt();
  assert.equal(await banger.ended, 137);
});

test('a daemon that goes away meanwhile is told', async () => {
  await using mortal = await ScriptedDaemon.start();
  mortal.addVm('demo');
  const banger = new RunningBanger(mortal, ['vm', 'exec', 'demo', '--', 'sh', '-c', 'echo ready; sleep 5']);
  await banger.says(/ready/);
  mortal.dropConnections();
  assert.equal(await banger.ended, 4);
  assert.match(banger.stderr, /\[DAEMON_UNREACHABLE\]/);
});
