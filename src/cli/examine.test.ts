import assert from 'node:assert/strict';
import { mkdir, mkdtempDisposable } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { resolveLayout } from '#contract/layout.ts';
import { CliContext, type CliHost, type Terminal } from './context.ts';
import { examine, fixFindings } from './examine.ts';
import type { LocalMachine } from './local-machine.ts';

const KVM = { check: 'kvm', status: 'pass', message: 'works' };

function contextOf(runtime: string, examineMachine: LocalMachine['examine']): CliContext {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const host: CliHost = {
    env: {},
    layout: resolveLayout({ XDG_RUNTIME_DIR: runtime }, 0, '/nonexistent'),
    terminal: { stdin, stdout, stderr } as unknown as Terminal,
    startDaemon: async () => ({ ready: false, logTail: 'last words\n' }),
    openMachine: async () => ({ examine: examineMachine }) as Partial<LocalMachine> as LocalMachine,
  };
  return new CliContext(host, undefined);
}

test('a daemon that does not answer is a finding, and the rest is looked at', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'bgr-hang-'));
  const context = contextOf(folder.path, async () => ({ rows: [KVM], fixes: [] }));
  await mkdir(dirname(context.layout.socketPath));
  const sockets = new Set<Socket>();
  const server = createServer((socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(context.layout.socketPath, resolve));
  try {
    const [daemon, kvm] = await examine(context, 200);
    assert.equal(daemon?.status, 'fail');
    assert.match(daemon?.message ?? '', /does not answer within 0\.2 s/);
    assert.equal(kvm?.check, 'kvm');
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
});

test('an examination that fails is a row, and a fix that did not work', async () => {
  const context = contextOf('/nonexistent', () => Promise.reject(new Error('bangerd: ended by SIGSEGV')));
  const rows = await examine(context);
  assert.deepEqual(
    rows.map(({ check, status }) => [check, status]),
    [
      ['daemon', 'fail'],
      ['examination', 'fail'],
    ],
  );
  assert.match(rows[0]?.message ?? '', /last words/);
  assert.match(rows[1]?.message ?? '', /SIGSEGV/);
  const [fix] = await fixFindings(context);
  assert.match(fix?.error ?? '', /SIGSEGV/);
});

test('what the program prints is parsed, not trusted', async () => {
  const [, row] = await examine(contextOf('/nonexistent', async () => ({ rows: 'none' })));
  assert.deepEqual([row?.check, row?.status], ['examination', 'fail']);
});
