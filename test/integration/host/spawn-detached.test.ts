import assert from 'node:assert/strict';
import { mkdtemp, open, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { ifThere } from '#base/if-there.ts';
import { isAlive, signalProcess, waitForProcessExit } from '#host/proc.ts';
import { spawnDetached } from '#host/spawn-detached.ts';

async function newFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'bgr-spawn-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

async function startSleeper(t: TestContext) {
  const logPath = join(await newFolder(t), 'log');
  const child = await spawnDetached('sleep', ['600'], { logPath });
  t.after(() => signalProcess(child.identity, 'SIGKILL'));
  return { child, logPath };
}

test('the program runs in a session of its own, in / and without terminal', async (t) => {
  const { child, logPath } = await startSleeper(t);
  const { pid } = child.identity;
  const text = await readFile(`/proc/${pid}/stat`, 'utf8');
  const [, , group, session, terminal] = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  assert.equal(session, pid);
  assert.equal(group, pid);
  assert.equal(terminal, 0);
  assert.equal(await readlink(`/proc/${pid}/cwd`), '/');
  assert.equal(await readlink(`/proc/${pid}/fd/0`), '/dev/null');
  assert.equal(await readlink(`/proc/${pid}/fd/2`), logPath);
});

test('it gets nothing that this process has open', async (t) => {
  await using file = await open(import.meta.filename);
  const { child } = await startSleeper(t);
  const folder = `/proc/${child.identity.pid}/fd`;
  // What the program itself opens while it starts may be closed again meanwhile.
  const links = await Promise.all((await readdir(folder)).map((fd) => ifThere(readlink(join(folder, fd)))));
  assert.ok(links.filter((link) => link !== undefined).length >= 3);
  assert.ok(!links.includes(import.meta.filename), `also not ${file.fd}`);
});

test('both outputs are appended to a private log', async (t) => {
  const logPath = join(await newFolder(t), 'log');
  await writeFile(logPath, 'before\n', { mode: 0o600 });
  const { exited } = await spawnDetached('sh', ['-c', 'echo out; echo err >&2; exit 3'], { logPath });
  assert.deepEqual(await exited, { code: 3, signal: null });
  assert.equal(await readFile(logPath, 'utf8'), 'before\nout\nerr\n');
  assert.equal((await stat(logPath)).mode & 0o777, 0o600);
});

test('how it ended is told, also when it was killed', async (t) => {
  const { child } = await startSleeper(t);
  assert.ok(await isAlive(child.identity));
  assert.ok(await signalProcess(child.identity, 'SIGKILL'));
  assert.deepEqual(await child.exited, { code: null, signal: 'SIGKILL' });
  await waitForProcessExit(child.identity);
});

test('a program that ends at once has an identity that is not alive', async (t) => {
  const logPath = join(await newFolder(t), 'log');
  for (let i = 0; i < 20; i += 1) {
    const { identity, exited } = await spawnDetached('true', [], { logPath });
    await exited;
    assert.equal(await isAlive(identity), false);
  }
});

test('a program that cannot be started rejects', async (t) => {
  const logPath = join(await newFolder(t), 'log');
  await assert.rejects(spawnDetached('/nonexistent', [], { logPath }), { code: 'ENOENT' });
  await assert.rejects(spawnDetached('/etc/passwd', [], { logPath }), { code: 'EACCES' });
  await assert.rejects(spawnDetached('true', [], { logPath: '/nonexistent/log' }), { code: 'ENOENT' });
});
