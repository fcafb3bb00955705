import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { assertNoLeaks, findLeaks, snapshotHost, type HostSnapshot } from '../support/leak-check.ts';

const needsRoot = process.getuid?.() === 0 ? {} : { skip: 'needs root to make it' };

let outer: string;
let folder: string;
let before: HostSnapshot;

beforeEach(() => {
  outer = mkdtempSync(join(tmpdir(), 'leaks-'));
  folder = join(outer, 'suite');
  mkdirSync(folder);
  // Other tests run at the same time, so only what refers to the folder may count here.
  before = snapshotHost({ folder, isShared: true });
});

afterEach(() => rmSync(outer, { recursive: true, force: true }));

/** It must be found while it is there, and no more when it is gone. */
async function assertFound(leak: RegExp): Promise<void> {
  await assert.rejects(assertNoLeaks(before, { timeoutMs: 100 }), leak);
}

async function assertGone(): Promise<void> {
  await assertNoLeaks(before);
}

function run(program: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  assert.equal(status, 0, `${program} ${args.join(' ')}: ${stderr}`);
  return stdout.trim();
}

async function end(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

function interfaceName(kind: string): string {
  return `lk${kind}${process.pid}`.slice(0, 15);
}

describe('a process is found', () => {
  test('by the folder in its command line', async () => {
    const child = spawn('tail', ['-f', '/dev/null', join(folder, 'not-there')], { stdio: 'ignore' });
    await assertFound(/process: pid \d+: tail -f .*\n.*because it refers to/);
    await end(child);
    await assertGone();
  });

  test('by the folder in its environment', async () => {
    const child = spawn('sleep', ['60'], { env: { ...process.env, HOME: folder } });
    await assertFound(/process: pid \d+: sleep 60/);
    await end(child);
    await assertGone();
  });

  test('by the folder it works in', async () => {
    const child = spawn('sleep', ['60'], { cwd: folder });
    await assertFound(/process: pid \d+: sleep 60/);
    await end(child);
    await assertGone();
  });

  test('by what it is, where nobody else uses the host', async () => {
    const alone = { ...before, isShared: false };
    // Nothing of it names a folder of the tests: neither the program, nor the environment, nor where it works.
    const program = `/dev/shm/leaks-${process.pid}/qemu-system-x86_64`;
    mkdirSync(dirname(program));
    copyFileSync('/bin/sleep', program);
    const child = spawn(program, ['60'], { env: {}, cwd: '/' });
    const found = findLeaks(alone).map(({ description }) => description);
    await end(child);
    rmSync(dirname(program), { recursive: true });
    assert.ok(found.includes(`pid ${child.pid}: ${program} 60`), found.join(', '));
  });

  test('but not when it was there before, or mentions a longer name', async () => {
    const child = spawn('sleep', ['60'], { env: { ...process.env, HOME: `${folder}-other` } });
    assert.deepEqual(findLeaks(before), []);
    const later = snapshotHost({ folder: `${folder}-other`, isShared: true });
    assert.deepEqual(findLeaks(later), []);
    await end(child);
  });
});

test('a Unix socket is found, also when its file is gone', async () => {
  const server = createServer();
  const path = join(folder, 's');
  server.listen(path);
  await once(server, 'listening');
  await assertFound(/socket: .*suite\/s\n/);
  rmSync(path);
  await assertFound(/socket: .*suite\/s\n/);
  server.close();
  await once(server, 'close');
  await assertGone();
});

test('a file is found', async () => {
  writeFileSync(join(folder, 'left'), 'x');
  await assertFound(/file: .*left \(1 bytes\)\n.*it lies in the temporary folder/);
  rmSync(join(folder, 'left'));
  await assertGone();
});

test('what goes away by itself is given its time', async () => {
  const child = spawn('sleep', ['0.3'], { cwd: folder });
  await assertNoLeaks(before, { timeoutMs: 10_000 });
  assert.notEqual(child.exitCode, undefined);
});

describe('a network interface is found', needsRoot, () => {
  // Interfaces carry no path, so these look with the eyes of somebody alone on the host.
  const kinds = [
    {
      kind: 'TAP',
      name: interfaceName('tap'),
      add: (name: string) => ['tuntap', 'add', 'mode', 'tap', 'name', name],
    },
    {
      kind: 'bridge',
      name: interfaceName('br'),
      add: (name: string) => ['link', 'add', name, 'type', 'bridge'],
    },
    { kind: 'veth', name: interfaceName('ve'), add: (name: string) => ['link', 'add', name, 'type', 'veth'] },
  ];
  for (const { kind, name, add } of kinds) {
    test(kind, () => {
      const alone = { ...before, isShared: false };
      run('ip', ...add(name));
      const found = findLeaks(alone).map(({ description }) => description);
      run('ip', 'link', 'delete', name);
      assert.ok(found.includes(`${kind} ${name}`), found.join(', '));
      assert.ok(!findLeaks(alone).some(({ description }) => description.endsWith(` ${name}`)));
    });
  }
});

test('a network namespace is found', needsRoot, () => {
  const alone = { ...before, isShared: false };
  const name = `leaks-${process.pid}`;
  run('ip', 'netns', 'add', name);
  const found = findLeaks(alone).map(({ kind, description }) => `${kind}: ${description}`);
  run('ip', 'netns', 'delete', name);
  assert.ok(found.includes(`network namespace: /run/netns/${name}`), found.join(', '));
});

test('a loop device is found', needsRoot, async () => {
  const image = join(outer, 'suite', 'image');
  writeFileSync(image, '');
  truncateSync(image, 2 ** 20);
  const device = run('losetup', '--find', '--show', image);
  await assertFound(/loop device: \/dev\/loop\d+ on .*image/);
  run('losetup', '--detach', device);
  rmSync(image);
  await assertGone();
});

test('a mount is found', needsRoot, async () => {
  const point = join(folder, 'mnt');
  mkdirSync(point);
  run('mount', '-t', 'tmpfs', 'leaks', point);
  await assertFound(/mount: .*suite\/mnt \(tmpfs leaks/);
  run('umount', point);
  rmSync(point, { recursive: true });
  await assertGone();
});
