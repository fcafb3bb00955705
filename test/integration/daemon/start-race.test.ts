import assert from 'node:assert/strict';
import { mkdir, mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { InstanceLock } from '#store/instance-lock.ts';
import { runProcess } from '../../support/run-process.ts';

const BANGERD = join(import.meta.dirname, '../../../src/bin/bangerd.ts');

test('a daemon that comes second says so in one line', { timeout: 30_000 }, async () => {
  await using root = await mkdtempDisposable(join(tmpdir(), 'bgr-race-'));
  const runtime = join(root.path, 'run');
  await mkdir(join(root.path, 'state/banger'), { recursive: true, mode: 0o700 });
  await mkdir(runtime, { mode: 0o700 });
  using _ = InstanceLock.acquire(join(root.path, 'state/banger/bangerd.lock'));
  const env = {
    PATH: process.env['PATH'],
    HOME: root.path,
    XDG_STATE_HOME: join(root.path, 'state'),
    XDG_RUNTIME_DIR: runtime,
  };
  const { status, stderr } = await runProcess(process.execPath, [BANGERD], { env });
  assert.equal(status, 1);
  const lines = stderr.trim().split('\n');
  assert.equal(lines.length, 1, stderr);
  const { level, code, msg } = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
  assert.deepEqual([level, code], [50, 'DAEMON_ALREADY_RUNNING']);
  assert.match(String(msg), /^Cannot start/);
});
