import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { UserError } from '#contract/errors.ts';
import { pollUntil } from '#base/backoff.ts';
import { runBanger } from './run-banger.ts';
import { RunningBanger } from './spawn-banger.ts';
import { ScriptedDaemon } from './scripted-daemon.ts';

let daemon: ScriptedDaemon;
before(async () => {
  daemon = await ScriptedDaemon.start();
});
beforeEach(() => {
  daemon.vms.clear();
  daemon.addVm('up', 'running', 'aaaaaaaaaaaa');
  daemon.addVm('down', 'stopped', 'bbbbbbbbbbbb');
});
after(() => daemon[Symbol.asyncDispose]());

const banger = (...args: string[]) => runBanger(daemon, args);
const lines = (text: string) =>
  text.split('\n').map((line) => line.replace(/(just now|\d+ seconds? ago)$/, 'AGE'));

test('vm list shows all, ps what runs', async () => {
  const head = 'ID            NAME  STATE    IMAGE            ADDRESS    VCPU  MEMORY  DISK   CREATED';
  const up = 'aaaaaaaaaaaa  up    running  debian-bookworm  10.77.0.2  2     2 GiB   8 GiB  AGE';
  const down = 'bbbbbbbbbbbb  down  stopped  debian-bookworm  -          2     2 GiB   8 GiB  AGE';
  assert.deepEqual(lines((await banger('vm', 'list')).text), [head, up, down]);
  assert.deepEqual(lines((await banger('ps')).text), [head, up]);
  assert.equal((await banger('ps', '-aq')).text, 'aaaaaaaaaaaa\nbbbbbbbbbbbb');
  const document = JSON.parse((await banger('vm', 'ls', '--json')).text) as { name: string }[];
  assert.deepEqual(
    document.map(({ name }) => name),
    ['up', 'down'],
  );
});

test('several VMs: once each, in first-seen order, a failure hides no other', async () => {
  const result = await banger('vm', 'delete', '-f', 'down', 'nope', 'bbbb', 'up');
  assert.equal(result.text, 'down\nup');
  assert.match(
    result.stderr,
    /^banger: error: Cannot find "nope": no VM has this name or id \[VM_NOT_FOUND\]\nhint: banger vm list\n$/,
  );
  assert.equal(result.status, 3);
  assert.equal(daemon.vms.size, 0);
});

test('several VMs as one JSON document', async () => {
  const result = await banger('vm', 'stop', '--json', 'up', 'nope');
  assert.deepEqual(JSON.parse(result.text), [
    { id: 'aaaaaaaaaaaa', name: 'up', outcome: 'powered-off' },
    {
      name: 'nope',
      error: {
        code: 'VM_NOT_FOUND',
        message: 'Cannot find "nope": no VM has this name or id',
        hint: 'banger vm list',
      },
    },
  ]);
  assert.deepEqual([result.status, result.stderr], [3, '']);
});

test('Ctrl-C cancels all of several, and says how each ended', async () => {
  daemon.stageMs = 300;
  const stopping = new RunningBanger(daemon, ['vm', 'start', 'up', 'down']);
  await pollUntil(() => (daemon.operationCount('running') === 2 ? true : undefined), {
    signal: AbortSignal.timeout(15_000),
  });
  stopping.interrupt();
  const status = await stopping.ended;
  daemon.stageMs = 1;
  assert.deepEqual([status, stopping.stdout], [130, '']);
  assert.equal(stopping.stderr.match(/\[OPERATION_CANCELLED\]/g)?.length, 2);
});

test('one VM fails with its own status and document', async () => {
  const result = await banger('vm', 'delete', '--json', 'up');
  assert.equal(JSON.parse(result.stderr).error.code, 'VM_RUNNING');
  assert.deepEqual([result.status, result.text], [3, '']);
});

for (const verb of ['stop', 'restart']) {
  test(`a ${verb} that had to kill says so, and how long it really waited`, async () => {
    daemon.stopped = { stop: 'killed', waitedMs: 1234 };
    const result = await banger('vm', verb, '--timeout', '3', 'up');
    daemon.stopped = { stop: 'killed', waitedMs: 0 };
    const atOnce = await banger('vm', verb, '--timeout', '0', 'up');
    const document = await banger('vm', verb, '--json', 'up');
    daemon.stopped = { stop: 'powered-off' };
    assert.equal(result.text, 'up');
    assert.match(result.stderr, /^"up" did not power off within 1\.2s and was killed$/m);
    assert.match(atOnce.stderr, /^"up" was killed$/m);
    assert.equal(JSON.parse(document.text)[0].outcome, 'killed');
    assert.doesNotMatch((await banger('vm', verb, 'up')).stderr, /killed/);
  });
}

test('vm create prints the name, the spec and the steps', async () => {
  const result = await banger(
    'vm',
    'create',
    '--name',
    'new',
    '--memory',
    '512',
    '--disk-size',
    '20G',
    '--vcpu',
    '3',
    '--no-network',
  );
  assert.equal(result.text, 'new');
  assert.match(result.stderr, /^spec: new \| 2 vCPU \| 2048 MiB \| 8 GiB disk\n {2}resolve image\n/);
  assert.match(result.stderr, /ready in \d+\.\ds\n$/);
  assert.deepEqual(daemon.createRequests.at(-1), {
    name: 'new',
    memoryMiB: 512,
    diskBytes: 20 * 2 ** 30,
    vcpus: 3,
    network: 'none',
    start: true,
  });
});

test('a creation that fails shows what the machine said last', async () => {
  daemon.createFailure = new UserError(
    'MACHINE_START_FAILED',
    'Cannot start "new": QEMU ended with status 1',
    {
      hint: 'banger doctor',
      details: { stderr: 'qemu: no space\nqemu: giving up' },
    },
  );
  const result = await banger('vm', 'create', '--name', 'new');
  daemon.createFailure = undefined;
  assert.equal(result.status, 3);
  assert.match(
    result.stderr,
    /Cannot start "new": QEMU ended with status 1 \[MACHINE_START_FAILED\]\n {2}stderr:\n {4}qemu: no space\n {4}qemu: giving up\nhint: banger doctor\n\(op-[0-9a-f]{12}\)\n$/,
  );
  assert.doesNotMatch(result.stderr, /stays/);
});

test('vm show, wait and logs', async () => {
  assert.match(
    (await banger('vm', 'show', 'up')).text,
    /^id {15}aaaaaaaaaaaa\nname {13}up\nstate {12}running\n/,
  );
  assert.equal(JSON.parse((await banger('vm', 'show', '--json', 'up')).text).id, 'aaaaaaaaaaaa');
  assert.equal((await banger('vm', 'wait', '--for', 'agent', 'up')).text, 'up');
  assert.equal((await banger('vm', 'logs', 'up')).text, 'line 1\nline 2\nline 3');
  assert.equal((await banger('vm', 'logs', '-n', '2', 'up')).text, 'line 2\nline 3');
});

test('doctor ends with 1 when a row fails', async () => {
  daemon.doctor = {
    rows: [
      { check: 'kvm', status: 'warn', message: 'has no vmx', hint: 'enable it in the firmware' },
      { check: 'qemu', status: 'fail', message: 'is missing', hint: 'apt-get install qemu-system-x86' },
    ],
  };
  const result = await banger('doctor');
  assert.equal(
    result.text,
    'WARN  kvm: has no vmx\n      hint: enable it in the firmware\nFAIL  qemu: is missing\n      hint: apt-get install qemu-system-x86',
  );
  assert.equal(result.status, 1);
});

test('images and kernels', async () => {
  assert.match((await banger('image', 'list')).text, /^NAME .*\ndebian-bookworm .*not made yet$/);
  assert.match((await banger('kernel', 'list')).text, /^NAME +ID +RELEASE/);
  assert.deepEqual(JSON.parse((await banger('kernel', 'list', '--json')).text), []);
});

test('completion asks the daemon for names', async () => {
  const propose = async (...words: string[]) =>
    (await banger('complete', '--', ...words)).text.split('\n').map((line) => line.split('\t')[0]);
  assert.deepEqual(await propose('vm', 'stop', ''), ['up', 'down']);
  assert.deepEqual(await propose('vm', 'stop', 'up', 'd'), ['down']);
  assert.deepEqual(await propose('vm', 'exec', '-it', 'u'), ['up']);
});

test('a daemon of another build is refused, but can be asked and stopped', async () => {
  await using other = await ScriptedDaemon.start();
  other.build = '9.9.9 (abc)';
  const list = await runBanger(other, ['vm', 'list']);
  assert.equal(list.status, 3);
  assert.match(list.stderr, /\[DAEMON_VERSION_MISMATCH\][^]*hint: banger daemon stop/);
  assert.match(
    (await runBanger(other, ['daemon', 'status'])).text,
    /build {11}9\.9\.9 \(abc\), not the one of this command/,
  );
  assert.equal((await runBanger(other, ['daemon', 'stop'])).text, 'the daemon has stopped; VMs run on');
  const status = await runBanger(other, ['daemon', 'status', '--json']);
  assert.deepEqual([JSON.parse(status.text), status.status], [{ running: false }, 4]);
});

test('daemon logs reads the file, with or without a daemon', async () => {
  assert.match((await banger('daemon', 'logs')).stderr, /there is no log yet: /);
});
