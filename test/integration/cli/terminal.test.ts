import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { pollUntil } from '#base/backoff.ts';
import { OnTerminal, skipWithoutTerminal as skip } from './on-terminal.ts';
import { ScriptedDaemon } from './scripted-daemon.ts';

let daemon: ScriptedDaemon;
before(async () => {
  daemon = await ScriptedDaemon.start();
  daemon.addVm('demo');
});
after(() => daemon[Symbol.asyncDispose]());

test('a tty gets its size, TERM, keys as they are typed, and every resize', { skip }, async () => {
  const terminal = new OnTerminal(daemon, [
    'vm',
    'exec',
    '-it',
    'demo',
    '--',
    'sh',
    '-c',
    'echo "TERM=$TERM"; cat',
  ]);
  await terminal.shows(/TERM=xterm-test/);
  const { rows, columns, tty } = daemon.execRequests.at(-1) ?? {};
  assert.deepEqual({ rows, columns, tty }, { rows: 24, columns: 80, tty: true });
  terminal.tell('modes');
  await terminal.shows(/\[raw\]/);
  terminal.tell('type \\x03\\x1a');
  await terminal.shows('\u0003\u001a');
  terminal.tell('resize 30 100');
  await terminal.shows(/resized 30x100/);
  terminal.tell('signal SIGTERM');
  assert.equal(await terminal.ended, 143);
  assert.match(terminal.screen, /\[left cooked\]/);
});

test('without a command -it opens the login shell', { skip }, async () => {
  const terminal = new OnTerminal(daemon, ['vm', 'exec', '-it', 'demo']);
  await pollUntil(() => daemon.execRequests.at(-1)?.argv[2]?.includes('SHELL') || undefined, {
    signal: AbortSignal.timeout(15_000),
  });
  terminal.tell('signal SIGHUP');
  await terminal.ended;
  assert.match(terminal.screen, /\[left cooked\]/);
});

test(
  'vm run between two terminals gives the command one; the terminal is put back after a failure too',
  { skip },
  async () => {
    const terminal = new OnTerminal(daemon, [
      'vm',
      'run',
      '--rm',
      '--',
      'sh',
      '-c',
      'echo in the guest; exit 3',
    ]);
    assert.equal(await terminal.ended, 3);
    assert.equal(daemon.execRequests.at(-1)?.tty, true);
    assert.match(terminal.screen, /in the guest[^]*\[left cooked\]/);
  },
);

test('the steps are one line each, rewritten, with colours only when wanted', { skip }, async () => {
  const terminal = new OnTerminal(daemon, ['vm', 'create', '--name', 'steps']);
  assert.equal(await terminal.ended, 0);
  assert.match(
    terminal.screen.replaceAll('\u001b', '<ESC>'),
    /\r<ESC>\[2K<ESC>\[2m {2}\w[\w ]+ \d+\.\ds<ESC>\[22m/,
  );
  const plain = new OnTerminal(daemon, ['vm', 'create', '--name', 'plain'], { NO_COLOR: '1' });
  assert.equal(await plain.ended, 0);
  assert.doesNotMatch(plain.screen.replaceAll('\u001b', '<ESC>'), /<ESC>\[\d+m/);
});

test('a daemon that goes away leaves the terminal as it was', { skip }, async () => {
  await using mortal = await ScriptedDaemon.start();
  mortal.addVm('demo');
  const terminal = new OnTerminal(
    daemon,
    ['vm', 'exec', '-it', 'demo', '--', 'sh', '-c', 'echo ready; sleep 5'],
    mortal.env,
  );
  await terminal.shows(/ready/);
  mortal.dropConnections();
  assert.equal(await terminal.ended, 4);
  assert.match(terminal.screen, /\[DAEMON_UNREACHABLE\][^]*\[left cooked\]/);
});

test('Ctrl-C on a terminal without a tty in the guest reaches the command', { skip }, async () => {
  const terminal = new OnTerminal(daemon, [
    'vm',
    'exec',
    'demo',
    '--',
    'sh',
    '-c',
    'echo ready; exec sleep 30',
  ]);
  await terminal.shows(/ready/);
  terminal.tell('type \\x03');
  assert.equal(await terminal.ended, 130);
});
