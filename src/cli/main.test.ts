import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { resolveLayout } from '#contract/layout.ts';
import type { Terminal } from './context.ts';
import type { LocalMachine } from './local-machine.ts';
import { runCli } from './main.ts';

/** A machine without files, on which an examination finds one thing. */
const MACHINE: LocalMachine = {
  cpus: () => 8,
  memoryBytes: () => 16 * 2 ** 30,
  readText: async () => undefined,
  writeText: async () => {
    throw Object.assign(new Error('EROFS: read-only file system'), { code: 'EROFS' });
  },
  examine: async ({ fix }) => ({
    rows: [{ check: 'kvm', status: 'pass', message: 'works' }],
    fixes: fix ? [{ check: 'socket', action: 'removed it' }] : [],
  }),
};

async function run(...argv: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const texts = [stdout, stderr].map((stream) => stream.toArray());
  const status = await runCli(argv, {
    env: {},
    layout: resolveLayout({ XDG_RUNTIME_DIR: '/nonexistent' }, 0, '/nonexistent'),
    terminal: { stdin, stdout, stderr } as unknown as Terminal,
    startDaemon: async () => ({ ready: false, logTail: 'no machine\n' }),
    openMachine: async () => MACHINE,
  });
  stdout.end();
  stderr.end();
  const [out = '', errors = ''] = (await Promise.all(texts)).map((chunks) =>
    Buffer.concat(chunks).toString(),
  );
  return { status, stdout: out, stderr: errors };
}

/** Refused before anybody is asked: no daemon runs here. */
const REFUSED: [line: string, status: number, stderr: RegExp][] = [
  [
    'vm lst',
    2,
    /Cannot run "banger vm lst": there is no such command \[USAGE\]\nhint: did you mean "banger vm list"\?/,
  ],
  ['run', 2, /hint: did you mean "banger vm run"\?/],
  ['frobnicate', 2, /hint: banger --help/],
  ['--frob', 2, /Cannot run "banger": it has no flag "--frob"/],
  ['vm run --memroy 2G', 2, /it has no flag "--memroy" \[USAGE\]\nhint: did you mean "--memory"\?/],
  ['vm run --disk-sise 2G', 2, /hint: did you mean "--disk-size"\?/],
  ['vm run --x', 2, /it has no flag "--x"/],
  ['vm run -x', 2, /it has no flag "-x"/],
  ['vm run --name=', 2, /"--name" needs a value/],
  ['vm run --name', 2, /"--name" needs a value/],
  ['vm run --name a --name b', 2, /"--name" is given twice/],
  ['vm run --name Nope!', 2, /Cannot name a VM "Nope!".*\[INVALID_NAME\]\nhint: /],
  ['vm run --memory lots', 2, /Cannot use "lots" as memory size.*\[INVALID_ARGUMENT\]\nhint: /],
  ['vm run --vcpu 0', 2, /Cannot use "0" as number of vCPUs/],
  ['vm run --disk-size 8', 2, /Cannot use "8" as disk size/],
  ['vm run uname', 2, /it takes no argument "uname" \[USAGE\]\nhint: put "--" before the command/],
  ['vm run --', 2, /there is no command after "--"/],
  ['vm run -d --rm', 2, /"--detach" keeps the VM and "--rm" removes it/],
  ['vm create --', 2, /there is no command after "--".*\nhint: leave "--" out for the command of the image/],
  ['vm run --restart often', 2, /it is not one of no, on-failure, always/],
  ['vm run -e =x -- true', 2, /"=x" as variable: it has no name/],
  ['vm run -d --', 2, /there is no command after "--"/],
  ['vm exec demo', 2, /there is no command after "--".*\nhint: for a shell: banger vm exec -it demo/],
  ['vm exec', 2, /it needs a vm/],
  ['vm stop', 2, /it needs a vm/],
  ['vm stop --froce demo', 2, /it has no flag "--froce"/],
  ['vm stop --x', 2, /there is no such flag/],
  [
    'vm wait --for agnt demo',
    2,
    /Cannot wait for "agnt": it is no condition \[USAGE\]\nhint: give one of running, stopped, agent, systemd, or port:N/,
  ],
  ['vm list -- ls', 2, /it takes no words after "--"/],
  ['completion tcsh', 2, /Cannot use "tcsh" as shell/],
  [
    'config get vcpu',
    2,
    /Cannot find the configuration key "vcpu".*\[CONFIG_KEY_UNKNOWN\]\nhint: did you mean "vm_defaults.vcpu"\?/,
  ],
  ['config set bridge_name x', 2, /\[CONFIG_KEY_UNKNOWN\]\nhint: banger config show/],
  ['config set log_level loud', 2, /\[CONFIG_VALUE_INVALID\]\nhint: it takes debug, info, warn or error/],
  ['config set dns_port many', 2, /it is not a whole number \[CONFIG_VALUE_INVALID\]/],
  ['config set dns_port', 2, /it needs a value/],
  [
    'config set dns_port 0',
    3,
    /Cannot write the configuration .*read-only file system \[CONFIG_NOT_WRITABLE\]/,
  ],
  ['config unset lgo_level', 2, /did you mean "log_level"\?/],
  ['vm list', 4, /Cannot start the daemon.*\[DAEMON_START_FAILED\]\n  log: no machine\nhint: read its log/],
];

for (const [line, status, stderr] of REFUSED) {
  test(`banger ${line}`, async () => {
    const result = await run(...line.split(' '));
    assert.match(result.stderr, stderr);
    assert.equal(result.stdout, '');
    assert.equal(result.status, status);
  });
}

test('help of groups and commands is a result', async () => {
  for (const line of [
    [],
    ['--help'],
    ['-h'],
    ['vm'],
    ['vm', '--help'],
    ['vm', 'run', '--help'],
    ['vm', 'ls', '-h'],
  ]) {
    const { status, stdout, stderr } = await run(...line);
    assert.match(stdout, /^USAGE\n {2}banger/);
    assert.deepEqual([status, stderr], [0, '']);
  }
});

test('help wins over the words of the guest command', async () => {
  const { stdout } = await run('vm', 'exec', 'demo', '--help', '--', 'ls');
  assert.match(stdout, /^USAGE\n {2}banger vm exec/);
});

test('--json makes the error a document', async () => {
  const { status, stdout, stderr } = await run('vm', 'list', '--json');
  assert.equal(JSON.parse(stderr).error.code, 'DAEMON_START_FAILED');
  assert.deepEqual([status, stdout], [4, '']);
});

test('version and --version ask nobody', async () => {
  assert.match((await run('--version')).stdout, /^banger \S+ \(commit \S+, built \S+\)\n$/);
  assert.match((await run('version')).stdout, /^banger {2}\S+\ncommit {2}\S+\nbuilt {3}\S+\nnode {4}v\d/);
  assert.equal(JSON.parse((await run('version', '--json')).stdout).node, process.version);
});

test('doctor shows a daemon that does not start as a finding', async () => {
  const { status, stdout } = await run('doctor', '--json');
  assert.deepEqual(
    JSON.parse(stdout).rows.map((row: { check: string; status: string }) => `${row.check} ${row.status}`),
    ['daemon fail', 'kvm pass'],
  );
  assert.equal(status, 1);
});

test('doctor --fix says what it did, then what is left', async () => {
  const { stdout } = await run('doctor', '--fix');
  assert.match(stdout, /^DONE {2}socket: removed it\nFAIL {2}daemon: /);
  assert.deepEqual(JSON.parse((await run('doctor', '--fix', '--json')).stdout).fixes, [
    { check: 'socket', action: 'removed it' },
  ]);
});

test('config show says what counts without a file, and why', async () => {
  const { settings } = JSON.parse((await run('config', 'show', '--json')).stdout);
  const find = (key: string) => settings.find((setting: { key: string }) => setting.key === key);
  assert.deepEqual([find('log_level').value, find('log_level').source], ['info', 'default']);
  assert.deepEqual(
    [find('vm_defaults.memory_mib').value, find('vm_defaults.memory_mib').source],
    [2048, 'host'],
  );
  assert.equal(find('default_dns').otherwise, 'those of the host');
  assert.match((await run('config', 'show')).stdout, /^KEY +VALUE +SOURCE\nlog_level +info +default\n/);
});

test('config get prints the value alone, or says that nothing is set', async () => {
  assert.equal((await run('config', 'get', 'dns_port')).stdout, '42069\n');
  const unset = await run('config', 'get', 'default_dns');
  assert.deepEqual([unset.stdout, unset.status], ['', 0]);
  assert.match(unset.stderr, /"default_dns" is not set: those of the host/);
});

test('completion needs no daemon', async () => {
  const propose = async (...words: string[]) =>
    (await run('complete', '--', ...words)).stdout.split('\n').map((line) => line.split('\t')[0]);
  assert.deepEqual(await propose('vm', 'st'), ['start', 'stop', 'stats', '']);
  assert.deepEqual(await propose('vm', 'wait', '--for', 'a'), ['agent', '']);
  assert.deepEqual(await propose('vm', 'run', '--disk'), ['--disk-size', '']);
  assert.deepEqual(await propose('vm', 'stop', 'd'), ['']);
  assert.deepEqual(await propose('vm', 'exec', 'demo', '--', 'l'), ['']);
  assert.deepEqual(await propose('completion', ''), ['bash', 'zsh', 'fish', '']);
  assert.ok(!(await propose('')).includes('complete'));
});
