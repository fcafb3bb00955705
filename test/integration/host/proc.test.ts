import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, copyFile, mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import {
  commandLineOf,
  findProcess,
  findProcessesByCommandLine,
  isAlive,
  isOwnProcess,
  signalProcess,
  waitForProcessExit,
  type ProcessIdentity,
} from '#host/proc.ts';

/** Beyond what the kernel gives out (pid_max is at most 2^22). */
const NO_PID = 2 ** 22 + 1;

async function startSleeper(
  t: TestContext,
  file = 'sleep',
  args: string[] = ['600'],
): Promise<{ child: ChildProcess; identity: ProcessIdentity }> {
  const child = spawn(file, args, { stdio: 'ignore' });
  t.after(() => child.kill('SIGKILL'));
  await once(child, 'spawn');
  const stat = await findProcess(child.pid!);
  assert.ok(stat);
  return { child, identity: { pid: stat.pid, startTicks: stat.startTicks } };
}

test('a process is found with its parent and its start, which does not change', async (t) => {
  const { identity } = await startSleeper(t);
  const found = await findProcess(identity.pid);
  assert.equal(found?.parentPid, process.pid);
  assert.match(found.state, /^[RSD]$/);
  assert.equal(found.startTicks, identity.startTicks);
  assert.ok(identity.startTicks > (await findProcess(process.pid))!.startTicks);
});

test('there is no process without one', async () => {
  assert.equal(await findProcess(NO_PID), undefined);
  assert.deepEqual(await commandLineOf(NO_PID), []);
  assert.equal(await isOwnProcess(NO_PID), false);
  assert.equal(await signalProcess({ pid: NO_PID, startTicks: 1 }, 'SIGKILL'), false);
});

test('a name with spaces and parentheses does not shift the fields', async (t) => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'banger-proc-'));
  const odd = join(folder.path, ') S 1 (x)');
  await copyFile('/bin/sleep', odd);
  await chmod(odd, 0o755);
  const { identity } = await startSleeper(t, odd);
  const found = await findProcess(identity.pid);
  assert.equal(found?.parentPid, process.pid);
  assert.ok(found.startTicks > (await findProcess(process.pid))!.startTicks);
});

test('the same pid with another start is another process: neither alive nor signalled', async (t) => {
  const { identity } = await startSleeper(t);
  const impostor = { ...identity, startTicks: identity.startTicks - 1 };
  assert.equal(await isAlive(identity), true);
  assert.equal(await isAlive(impostor), false);
  assert.equal(await signalProcess(impostor, 'SIGKILL'), false);
  assert.equal(await isAlive(identity), true);
});

test('a signal ends the process, and waiting for its end resolves', async (t) => {
  const { identity } = await startSleeper(t);
  const ended = waitForProcessExit(identity, { signal: AbortSignal.timeout(10_000) });
  assert.equal(await signalProcess(identity, 'SIGTERM'), true);
  await ended;
  assert.equal(await isAlive(identity), false);
  await waitForProcessExit(identity, { signal: AbortSignal.timeout(10_000) });
});

test('waiting for the end of what goes on ends with the reason of its signal', async (t) => {
  const { identity } = await startSleeper(t);
  const reason = new Error('not today');
  const controller = new AbortController();
  const waiting = waitForProcessExit(identity, { signal: controller.signal });
  controller.abort(reason);
  await assert.rejects(waiting, (error) => error === reason);
});

test('a zombie is there and not alive', async (t) => {
  // The shell replaces itself with a program that never reaps the child it inherits.
  const parent = spawn('sh', ['-c', 'sleep 0 & echo $!; exec sleep 600'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  t.after(() => parent.kill('SIGKILL'));
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const pid = Number(line.toString());
  const found = await findProcess(pid);
  assert.ok(found);
  await waitForProcessExit(found, { signal: AbortSignal.timeout(10_000) });
  assert.equal((await findProcess(pid))?.state, 'Z');
  assert.equal(await signalProcess(found, 'SIGKILL'), false);
  const { pid: parentPid } = parent;
  const zombies = await findProcessesByCommandLine((argv) => argv.length === 0);
  assert.ok(parentPid !== undefined && !zombies.some((zombie) => zombie.pid === pid));
});

test('arguments come apart as they were given, empty and odd ones too', async (t) => {
  const args = ['600', '--', '', 'two words', 'ünïcode', 'new\nline'];
  const { identity } = await startSleeper(t, process.execPath, [
    '-e',
    'setTimeout(() => {}, 600_000)',
    ...args,
  ]);
  assert.deepEqual((await commandLineOf(identity.pid)).slice(-args.length), args);
});

test('a process is found by its whole command line, and each that fits', async (t) => {
  const marker = `${600 + Math.random()}`;
  const first = await startSleeper(t, 'sleep', [marker]);
  const second = await startSleeper(t, 'sleep', [marker]);
  await startSleeper(t, 'sleep', ['601']);
  const found = await findProcessesByCommandLine((argv) => argv[0] === 'sleep' && argv[1] === marker);
  const byPid = (a: ProcessIdentity, b: ProcessIdentity) => a.pid - b.pid;
  assert.deepEqual(found.toSorted(byPid), [first.identity, second.identity].toSorted(byPid));
});

test('a process of our own is ours', async (t) => {
  const { identity } = await startSleeper(t);
  assert.equal(await isOwnProcess(identity.pid), true);
});
