import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { UserError } from '#contract/errors.ts';
import { runBanger } from './run-banger.ts';
import { ScriptedDaemon } from './scripted-daemon.ts';
import { RunningBanger } from './spawn-banger.ts';

let daemon: ScriptedDaemon;
before(async () => {
  daemon = await ScriptedDaemon.start();
});
beforeEach(() => {
  daemon.vms.clear();
  daemon.stageMs = 1;
});
after(() => daemon[Symbol.asyncDispose]());

test('stdout carries only what the guest writes; the VM stays, and that is said', async () => {
  const result = await runBanger(daemon, ['vm', 'run', '--name', 'demo', '--', 'echo', 'hello']);
  assert.deepEqual([result.text, result.status], ['hello', 0]);
  assert.match(
    result.stderr,
    /^spec: demo \| [^]*ready in [^]*"demo" stays: enter it with `banger vm exec -it demo`, remove it with `banger vm delete -f demo`\n$/,
  );
  assert.equal(daemon.vms.size, 1);
});

test('--rm deletes it whatever the status', async () => {
  const result = await runBanger(daemon, ['vm', 'run', '--rm', '--', 'sh', '-c', 'exit 9']);
  assert.equal(result.status, 9);
  assert.equal(daemon.vms.size, 0);
  assert.equal(daemon.createRequests.at(-1)?.autoRemove, true);
  assert.doesNotMatch(result.stderr, /stays/);
});

test('--rm deletes it also when there is no such program', async () => {
  const result = await runBanger(daemon, ['vm', 'run', '--rm', '--', '/no/such/program']);
  assert.equal(result.status, 127);
  assert.equal(daemon.vms.size, 0);
});

test('a pipe is passed on', async () => {
  const result = await runBanger(daemon, ['vm', 'run', '--rm', '--', 'cat'], { input: 'through' });
  assert.equal(result.text, 'through');
});

test('without a command a shell reads stdin', async () => {
  const result = await runBanger(daemon, ['vm', 'run', '--rm'], {
    input: 'echo from the shell; exit 5\n',
    env: { SHELL: '/bin/sh' },
  });
  assert.match(result.text, /from the shell/);
  assert.equal(result.status, 5);
  assert.equal(daemon.execRequests.at(-1)?.tty, undefined);
});

test('-d prints the name and leaves', async () => {
  const result = await runBanger(daemon, ['vm', 'run', '-d']);
  assert.deepEqual([result.text, result.status], ['calm-otter', 0]);
  assert.match(result.stderr, /"calm-otter" stays/);
});

test('-d --json prints the VM as one document', async () => {
  const result = await runBanger(daemon, ['vm', 'run', '-d', '--json']);
  assert.deepEqual(JSON.parse(result.text), [...daemon.vms.values()][0]);
  assert.equal(result.status, 0);
});

test('-d --json: a service that cannot be executed is told as one document too', async () => {
  daemon.run = { cmd: ['/nope'], restart: 'no', isService: true };
  daemon.service = { state: 'failed', starts: 1, failure: { code: 'NOT_FOUND', message: 'no such file' } };
  const result = await runBanger(daemon, ['vm', 'run', '-d', '--json']);
  daemon.run = undefined;
  daemon.service = { state: 'running', pid: 7, starts: 1 };
  assert.equal(JSON.parse(result.text).name, 'calm-otter');
  assert.match(result.stderr, /"code":"COMMAND_NOT_FOUND"/);
  assert.equal(result.status, 127);
});

test('--json is refused with a command that has stdout for itself', async () => {
  const before = daemon.createRequests.length;
  const result = await runBanger(daemon, ['vm', 'run', '--json', '--', 'true']);
  assert.partialDeepStrictEqual(JSON.parse(result.stderr), {
    error: {
      code: 'USAGE',
      message: 'Cannot run "banger vm run --json": stdout is for the command',
      hint: 'add "-d", or leave "--json" out',
    },
  });
  assert.deepEqual([result.status, daemon.createRequests.length], [2, before]);
});

test('what is ambiguous is refused before anything is made', async () => {
  const before = daemon.createRequests.length;
  for (const args of [['-d', '--rm'], ['-d', '--'], ['--']]) {
    const result = await runBanger(daemon, ['vm', 'run', ...args]);
    assert.match(result.stderr, /\[USAGE\]/);
    assert.equal(result.status, 2);
  }
  assert.equal(daemon.createRequests.length, before);
});

test('an image that is not there', async () => {
  const result = await runBanger(daemon, ['vm', 'run', '--rm', '--image', 'nope', '--', 'true']);
  assert.match(result.stderr, /\[IMAGE_NOT_FOUND\]\nhint: banger image list/);
  assert.equal(result.status, 3);
});

for (const command of ['run --rm', 'run', 'run -d', 'create']) {
  test(`${command}: a guest that never answers is kept, and that is said`, async () => {
    daemon.createFailure = new UserError(
      'GUEST_NOT_ANSWERING',
      'Cannot use "demo": its agent did not answer in 90 s',
      {
        details: { console: 'Kernel panic\nnot syncing' },
      },
    );
    const result = await runBanger(daemon, ['vm', ...command.split(' '), '--name', 'demo']);
    daemon.createFailure = undefined;
    assert.match(
      result.stderr,
      /^"demo" stays for a look: `banger vm logs demo`, remove it with `banger vm delete -f demo`$/m,
    );
    assert.match(result.stderr, /\[GUEST_NOT_ANSWERING\]\n {2}console:\n {4}Kernel panic\n {4}not syncing\n/);
    assert.deepEqual([result.text, result.status, daemon.vms.size], ['', 3, 1]);
  });
}

test('a creation that was rolled back leaves nothing to be said', async () => {
  daemon.createFailure = new UserError('MACHINE_DIED', 'Cannot start "demo": its machine ended');
  const result = await runBanger(daemon, ['vm', 'run', '--name', 'demo']);
  daemon.createFailure = undefined;
  assert.match(result.stderr, /\[MACHINE_DIED\]/);
  assert.doesNotMatch(result.stderr, /stays/);
});

test('Ctrl-C during the creation cancels it', async () => {
  daemon.stageMs = 300;
  const banger = new RunningBanger(daemon, ['vm', 'run', '--rm', '--', 'echo', 'never']);
  await banger.says(/resolve image/, 'stderr');
  banger.interrupt();
  assert.equal(await banger.ended, 130);
  assert.match(banger.stderr, /banger: interrupted\n$/);
  assert.deepEqual([banger.stdout, daemon.vms.size], ['', 0]);
});

test('a second Ctrl-C leaves the cancelling to the daemon', async () => {
  daemon.stageMs = 1500;
  const banger = new RunningBanger(daemon, ['vm', 'create']);
  await banger.says(/resolve image/, 'stderr');
  banger.interrupt();
  await new Promise((resolve) => setTimeout(resolve, 50));
  banger.interrupt();
  assert.equal(await banger.ended, 130);
  assert.match(banger.stderr, /interrupted; the daemon goes on cancelling/);
  assert.equal(daemon.vms.size, 1, 'the daemon is still at it');
});

test('Ctrl-C during the command is its own, and --rm deletes the VM', async () => {
  const banger = new RunningBanger(daemon, [
    'vm',
    'run',
    '--rm',
    '--',
    'sh',
    '-c',
    'echo ready; exec sleep 30',
  ]);
  await banger.says(/ready/);
  banger.interrupt();
  assert.equal(await banger.ended, 130);
  assert.equal(daemon.vms.size, 0);
});

test('Ctrl-C cannot stop the deletion', async () => {
  const banger = new RunningBanger(daemon, ['vm', 'run', '--rm', '--', 'sh', '-c', 'echo ready; sleep 0.2']);
  await banger.says(/ready/);
  daemon.stageMs = 100;
  await banger.says(/resolve image[^]*ready in/, 'stderr');
  await new Promise((resolve) => setTimeout(resolve, 350));
  banger.interrupt();
  banger.interrupt();
  assert.equal(await banger.ended, 0);
  assert.match(banger.stderr, /deleting "calm-otter"/);
  assert.equal(daemon.vms.size, 0);
});

test('a closed pipe does not keep --rm from deleting', async () => {
  const banger = new RunningBanger(daemon, ['vm', 'run', '--rm', '--', 'yes']);
  await banger.says(/^y$/m);
  banger.child.stdout.destroy();
  assert.equal(await banger.ended, 141);
  assert.equal(daemon.vms.size, 0);
});
