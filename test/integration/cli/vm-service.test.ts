import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { runBanger } from './run-banger.ts';
import { ScriptedDaemon } from './scripted-daemon.ts';

let daemon: ScriptedDaemon;
before(async () => {
  daemon = await ScriptedDaemon.start();
});
beforeEach(() => {
  daemon.vms.clear();
  daemon.run = undefined;
  daemon.service = { state: 'running', pid: 7, starts: 1 };
});
after(() => daemon[Symbol.asyncDispose]());

const IMAGE = { entrypoint: ['/bin/echo', 'entry'], cmd: ['own'], restart: 'on-failure' } as const;
const runOf = (isService: boolean) => ({
  ...IMAGE,
  entrypoint: [...IMAGE.entrypoint],
  cmd: [...IMAGE.cmd],
  isService,
});

test('without words the command of the image runs, in this terminal', async () => {
  daemon.run = runOf(false);
  const result = await runBanger(daemon, ['vm', 'run', '--rm', '--image', 'tool']);
  assert.deepEqual([result.text, result.status], ['entry own', 0]);
  assert.equal(daemon.createRequests.at(-1)?.service, false);
});

test('words replace the command of the image and follow its entrypoint', async () => {
  daemon.run = runOf(false);
  const result = await runBanger(daemon, ['vm', 'run', '--rm', '--image', 'tool', '--', 'mine', '-x']);
  assert.equal(result.text, 'entry mine -x');
});

test('how it is to be run goes to the daemon', async () => {
  const flags = [
    '--entrypoint',
    '',
    '-e',
    'A=1',
    '-e',
    'HERE',
    '-w',
    '/srv',
    '-u',
    '7:8',
    '--restart',
    'no',
    '-P',
  ];
  const args = ['vm', 'run', '--rm', '--kernel', 'mine', ...flags, '--', 'true'];
  const { stderr } = await runBanger(daemon, args, { env: { HERE: 'set' } });
  assert.match(stderr, /^80\/tcp is published at 127\.0\.0\.1:40080$/m);
  const { entrypoint, env, cwd, user, restart, publishAll, kernel, command } =
    daemon.createRequests.at(-1) ?? {};
  assert.deepEqual(
    { entrypoint, env, cwd, user, restart, publishAll, kernel, command },
    {
      entrypoint: [],
      env: { A: '1', HERE: 'set' },
      cwd: '/srv',
      user: '7:8',
      restart: 'no',
      publishAll: true,
      kernel: 'mine',
      command: undefined,
    },
  );
});

test('an unknown restart policy is refused with those there are', async () => {
  const result = await runBanger(daemon, ['vm', 'run', '-d', '--restart', 'sometimes']);
  assert.match(result.stderr, /"sometimes" as restart policy: it is not one of no, on-failure, always/);
  assert.equal(result.status, 2);
});

for (const verb of [['run', '-d'], ['create']]) {
  test(`vm ${verb.join(' ')} leaves the command to the VM`, async () => {
    daemon.run = runOf(true);
    const result = await runBanger(daemon, ['vm', ...verb, '--', 'serve', '--fast']);
    assert.deepEqual([result.text, result.status], ['calm-otter', 0]);
    const { command, service } = daemon.createRequests.at(-1) ?? {};
    assert.deepEqual([command, service], [['serve', '--fast'], undefined]);
  });
}

for (const [code, status] of [
  ['NOT_FOUND', 127],
  ['DENIED', 126],
  ['INVALID', 3],
] as const) {
  test(`-d says that its command could not be executed: ${code}`, async () => {
    daemon.run = runOf(true);
    daemon.service = { state: 'failed', starts: 0, failure: { code, message: 'the guest says why' } };
    const result = await runBanger(daemon, ['vm', 'run', '-d']);
    assert.deepEqual([result.text, result.status], ['calm-otter', status]);
    assert.match(
      result.stderr,
      /Cannot start "\/bin\/echo" as the service of "calm-otter": the guest says why .*\nhint: the VM runs without it/,
    );
    assert.equal(daemon.vms.size, 1);
  });
}

test('show tells how a VM is run and how its service is', async () => {
  daemon.run = { ...runOf(true), env: ['A=\u001b[31m'], labels: { by: 'me' }, exposedPorts: ['80/tcp'] };
  await runBanger(daemon, ['vm', 'create', '--name', 'web']);
  daemon.service = { state: 'backoff', starts: 2, restartInMs: 200, lastExit: { exitCode: 1 } };
  const { text } = await runBanger(daemon, ['vm', 'show', 'web']);
  assert.match(text, /^entrypoint +\["\/bin\/echo","entry"\]$/m);
  assert.match(text, /^command +\["own"\]$/m);
  assert.match(text, /^environment +\["A=\\u001b\[31m"\]$/m);
  assert.match(text, /^exposed ports +80\/tcp$/m);
  assert.match(text, /^restart +on-failure$/m);
  assert.match(text, /^service +backoff, starts again in 200 ms, started 2 times, .* status 1$/m);
  const json = JSON.parse((await runBanger(daemon, ['vm', 'show', '--json', 'web'])).text) as {
    run: unknown;
    service: unknown;
  };
  assert.deepEqual(json.service, daemon.service);
  assert.deepEqual(json.run, daemon.run);
});
