import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { isUserError } from '#contract/errors.ts';
import { InstanceLock } from '#store/instance-lock.ts';

const HOLDER = new URL('../../fixtures/hold-instance-lock.ts', import.meta.url).pathname;

const newFolder = () => mkdtempDisposable(join(tmpdir(), 'banger-instance-lock-'));
const isRefusal = (error: unknown) => isUserError(error, 'DAEMON_ALREADY_RUNNING');

/** Another process that tries to take the lock: what it says, `held` or an error code, and the process. */
async function startHolder(t: TestContext, path: string): Promise<{ said: string; holder: ChildProcess }> {
  const holder = spawn(process.execPath, [HOLDER, path], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => holder.kill('SIGKILL'));
  const [said] = (await once(holder.stdout, 'data')) as [Buffer];
  return { said: said.toString().trim(), holder };
}

async function end(holder: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const exited = once(holder, 'exit');
  holder.kill(signal);
  await exited;
}

test('one holder at a time within a process, free again once disposed', async () => {
  await using folder = await newFolder();
  const path = join(folder.path, 'lock');
  {
    using _lock = InstanceLock.acquire(path);
    assert.throws(() => InstanceLock.acquire(path), isRefusal);
  }
  InstanceLock.acquire(path)[Symbol.dispose]();
});

test('another process cannot take a lock that is held', async (t) => {
  await using folder = await newFolder();
  const path = join(folder.path, 'lock');
  using _lock = InstanceLock.acquire(path);
  const { said } = await startHolder(t, path);
  assert.equal(said, 'DAEMON_ALREADY_RUNNING');
});

test('an attempt that was refused does not free the lock of who holds it', async (t) => {
  await using folder = await newFolder();
  const path = join(folder.path, 'lock');
  using _lock = InstanceLock.acquire(path);
  assert.throws(() => InstanceLock.acquire(path), isRefusal);
  const { said } = await startHolder(t, path);
  assert.equal(said, 'DAEMON_ALREADY_RUNNING');
});

for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
  test(`the lock is free once its holder ended by ${signal}`, async (t) => {
    await using folder = await newFolder();
    const path = join(folder.path, 'lock');
    const { said, holder } = await startHolder(t, path);
    assert.equal(said, 'held');
    assert.throws(() => InstanceLock.acquire(path), isRefusal);
    await end(holder, signal);
    InstanceLock.acquire(path)[Symbol.dispose]();
  });
}

test('of many that start at once exactly one gets the lock', async (t) => {
  await using folder = await newFolder();
  const path = join(folder.path, 'lock');
  const holders = await Promise.all(Array.from({ length: 5 }, () => startHolder(t, path)));
  const said = holders.map((entry) => entry.said).toSorted();
  assert.deepEqual(said, [...Array.from({ length: 4 }, () => 'DAEMON_ALREADY_RUNNING'), 'held']);
  await Promise.all(holders.map(({ holder }) => end(holder, 'SIGKILL')));
});

test('a folder that is not there is a plain error, not a refusal', async () => {
  await using folder = await newFolder();
  assert.throws(
    () => InstanceLock.acquire(join(folder.path, 'missing', 'lock')),
    (error) => !isRefusal(error),
  );
});
