import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import type { VmStats } from '#contract/owner/stats.ts';
import { createMachineHome } from '../support/artifacts.ts';
import { runProcess, type ProcessResult } from '../support/run-process.ts';
import { CLI_PATH, type TestHome } from '../support/test-home.ts';
import { OnTerminal, skipWithoutTerminal } from '../integration/cli/on-terminal.ts';

const SMALL = ['--memory', '512M', '--vcpu', '1'];

describe('commands in a running VM', () => {
  let home: TestHome;

  before(async () => {
    home = await createMachineHome();
    await home.succeed(['vm', 'create', '--name', 'demo', ...SMALL]);
  });
  after(() => home[Symbol.asyncDispose]());

  const onTerminal = () => ({ env: home.env, program: CLI_PATH });

  it('exits with the status of the command', async () => {
    const { status } = await home.cli(['vm', 'exec', 'demo', '--', 'sh', '-c', 'exit 42']);
    assert.equal(status, 42);
  });

  it('exits with 128 + n when signal n ended the command', async () => {
    for (const [name, number] of [
      ['KILL', 9],
      ['TERM', 15],
    ] as const) {
      const { status } = await home.cli(['vm', 'exec', 'demo', '--', 'sh', '-c', `kill -${name} $$`]);
      assert.equal(status, 128 + number, name);
    }
  });

  it('says 127 when there is no such program and 126 when it cannot be run', async () => {
    const missing = await home.cli(['vm', 'exec', 'demo', '--', 'no-such-program']);
    assert.equal(missing.status, 127);
    assert.match(missing.stderr, /COMMAND_NOT_FOUND/);
    const plain = await home.cli(['vm', 'exec', 'demo', '--', '/etc/passwd']);
    assert.equal(plain.status, 126);
    assert.match(plain.stderr, /COMMAND_NOT_EXECUTABLE/);
  });

  it('hands words over as they are', async () => {
    const words = ['a b', '', "it's", '$HOME', '"', '*', '--rm', '-x', 'ü€', 'line\nbreak', '--', '\\'];
    const { text } = await home.succeed(['vm', 'exec', 'demo', '--', 'printf', '[%s]', ...words]);
    assert.equal(text, words.map((word) => `[${word}]`).join(''));
  });

  it('passes 64 MiB of random bytes through cat unchanged', async () => {
    const bytes = randomBytes(64 * 2 ** 20);
    const { stdout, status, stderr } = await home.cli(['vm', 'exec', '-i', 'demo', '--', 'cat'], {
      input: bytes,
    });
    assert.equal(status, 0, stderr);
    assert.equal(stdout.length, bytes.length);
    assert.equal(sha256(stdout), sha256(bytes));
  });

  it('keeps stdout and stderr apart', async () => {
    const { text, stderr } = await home.cli([
      'vm',
      'exec',
      'demo',
      '--',
      'sh',
      '-c',
      'echo out; echo err >&2',
    ]);
    assert.equal(text, 'out');
    assert.equal(stderr, 'err\n');
  });

  it('shows what the VM uses: by the kernel of the host, its disk and the guest', async () => {
    const { text } = await home.succeed(['vm', 'stats', '--json', 'demo']);
    const [{ machine, disk, guest, memoryLimitBytes }] = JSON.parse(text) as [VmStats];
    assert.ok(machine && disk && guest, text);
    const { cpuMs, cpuPercent = -1, rssBytes = 0, pssBytes = 0, writtenBytes = -1 } = machine;
    assert.ok(cpuMs > 100 && cpuPercent >= 0 && writtenBytes >= 0, text);
    assert.ok(rssBytes > 2 ** 26 && pssBytes > 2 ** 26, text);
    assert.ok(disk.allocatedBytes > 0 && disk.virtualBytes > disk.allocatedBytes, text);
    assert.equal(memoryLimitBytes, 512 * 2 ** 20);
    const { memoryTotalBytes, memoryAvailableBytes, sentBytes } = guest;
    assert.ok(memoryTotalBytes <= memoryLimitBytes && memoryTotalBytes > memoryLimitBytes / 2, text);
    assert.ok(memoryAvailableBytes > 0 && memoryAvailableBytes < memoryTotalBytes, text);
    assert.ok(guest.processes > 1 && guest.uptimeMs > 0 && sentBytes !== undefined, text);
  });

  it('ends quietly when the reader goes away', async () => {
    const { text, stderr } = await runInShell(home, 'banger vm exec demo -- yes | head -1');
    assert.equal(text, 'y');
    assert.equal(stderr, '');
  });

  it('closes the stdin of a command that was not given one', async () => {
    const { text } = await home.succeed(['vm', 'exec', 'demo', '--', 'cat'], { input: 'not for you' });
    assert.equal(text, '');
  });

  it(
    'gives a command a terminal of the size of ours, also when that changes',
    { skip: skipWithoutTerminal },
    async () => {
      const script = 'trap "stty size; exit 7" WINCH; stty size; while :; do sleep 0.1; done';
      const terminal = new OnTerminal(onTerminal(), ['vm', 'exec', '-it', 'demo', '--', 'sh', '-c', script]);
      await terminal.shows(/24 80/);
      terminal.tell('resize 30 100');
      await terminal.shows(/30 100/);
      assert.equal(await terminal.ended, 7);
    },
  );

  it(
    'opens a shell in a new machine when it is told nothing else',
    { skip: skipWithoutTerminal },
    async () => {
      const terminal = new OnTerminal(onTerminal(), ['vm', 'run', '--rm', ...SMALL]);
      await terminal.shows(/root@.*# /);
      terminal.tell('type echo $((6 * 7)); exit 3\\n');
      assert.equal(await terminal.ended, 3);
      assert.match(terminal.screen, /^42\r?$/m);
    },
  );

  it('honours user, working folder and environment', async () => {
    await home.succeed(['vm', 'exec', 'demo', '--', 'useradd', '-m', 'someone']);
    const flags = ['--user', 'someone', '--workdir', '/var/tmp', '--env', 'GREETING=hi there'];
    const { text } = await home.succeed([
      'vm',
      'exec',
      ...flags,
      'demo',
      '--',
      'sh',
      '-c',
      'id -un; pwd; echo $GREETING; echo $HOME',
    ]);
    assert.deepEqual(text.split('\n'), ['someone', '/var/tmp', 'hi there', '/home/someone']);
  });

  it('runs the image’s own init, with hostname, clock, address and modules in place', async () => {
    const script =
      'cat /proc/1/comm; hostname; date +%s; uname -r; ls /lib/modules; cat /proc/sys/kernel/hostname';
    const { text } = await home.succeed(['vm', 'exec', 'demo', '--', 'sh', '-c', script]);
    const [init, hostname, seconds, release, modules, node] = text.split('\n');
    assert.equal(init, 'systemd');
    assert.equal(hostname, 'demo');
    assert.equal(node, 'demo');
    assert.equal(modules, release);
    const host = Date.now() / 1000;
    assert.ok(Math.abs(Number(seconds) - host) < 5, `the guest's clock says ${seconds}, the host's ${host}`);
    await home.succeed(['vm', 'exec', 'demo', '--', 'modprobe', 'overlay']);
  });

  it('runs many commands at once', async () => {
    using client = await home.client();
    const results = await Promise.all(
      Array.from({ length: 40 }, async (_, index) => {
        const command = await client.vms.exec('demo', { argv: ['sh', '-c', `echo ${index}; exit ${index}`] });
        let output = '';
        for await (const chunk of command.stdout) output += String(chunk);
        return { output, ...(await command.wait()) };
      }),
    );
    assert.deepEqual(
      results,
      results.map((_, index) => ({ output: `${index}\n`, exitCode: index })),
    );
  });

  it('does not let a slow reader hold up another command', async () => {
    using client = await home.client();
    const flood = await client.vms.exec('demo', { argv: ['yes'] });
    try {
      const quick = await client.vms.exec('demo', { argv: ['true'] });
      assert.deepEqual(await quick.wait(), { exitCode: 0 });
    } finally {
      flood.close();
    }
  });
});

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** A line in which `banger` is this CLI. */
function runInShell(home: TestHome, line: string): Promise<ProcessResult> {
  const script = `banger() { "$NODE" "$CLI" "$@"; }; ${line}`;
  return runProcess('bash', ['-c', script], { env: { ...home.env, NODE: process.execPath, CLI: CLI_PATH } });
}
