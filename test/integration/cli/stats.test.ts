import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import type { VmStats } from '#contract/owner/stats.ts';
import { OnTerminal, skipWithoutTerminal as skip } from './on-terminal.ts';
import { runBanger } from './run-banger.ts';
import { ScriptedDaemon } from './scripted-daemon.ts';
import { RunningBanger } from './spawn-banger.ts';

let daemon: ScriptedDaemon;
before(async () => {
  daemon = await ScriptedDaemon.start();
});
beforeEach(() => {
  daemon.vms.clear();
  daemon.addVm('web');
  daemon.addVm('db');
  daemon.addVm('old', 'stopped');
});
after(() => daemon[Symbol.asyncDispose]());

const stats = (...args: string[]) => runBanger(daemon, ['vm', 'stats', ...args]);
const HEAD = /^NAME +CPU% +MEM USED\/LIMIT +DISK ALLOC\/VIRTUAL +NET RX\/TX +LOAD +UPTIME$/;
const row = (name: string) =>
  new RegExp(`^${name} +\\d+\\.0 +300 MiB / 2 GiB +17(?:\\.0)? MiB / 8 GiB +- +- +4m10s$`);

test('a table of all that run', async () => {
  const result = await stats();
  const [head = '', ...rows] = result.text.split('\n');
  assert.match(head, HEAD);
  assert.equal(rows.length, 2);
  assert.match(rows[0] ?? '', row('web'));
  assert.match(rows[1] ?? '', row('db'));
  assert.equal(result.status, 0);
});

test('nothing runs: only the head; as JSON: an empty list', async () => {
  daemon.vms.clear();
  assert.match((await stats()).text, HEAD);
  assert.equal((await stats('--json')).text, '[]');
});

test('those that are named, each once; one that fails hides no other', async () => {
  const result = await stats('db', 'old', 'd', 'none');
  const [, ...rows] = result.text.split('\n');
  assert.equal(rows.length, 1);
  assert.match(rows[0] ?? '', row('db'));
  assert.match(
    result.stderr,
    /Cannot measure "old": it is stopped \[VM_NOT_RUNNING\]\nhint: banger vm start old/,
  );
  assert.match(result.stderr, /Cannot find "none".*\[VM_NOT_FOUND\]/);
  assert.equal(result.status, 3);
});

test('several as one JSON document, failures in their places', async () => {
  const result = await stats('--json', 'old', 'web');
  const [old, web] = JSON.parse(result.text) as [{ name: string; error: { code: string } }, VmStats];
  assert.deepEqual([old.name, old.error.code], ['old', 'VM_NOT_RUNNING']);
  assert.deepEqual([web.vm.name, web.machine?.rssBytes], ['web', 300 * 2 ** 20]);
  assert.equal(result.status, 3);
});

test('one that fails is the error of the command', async () => {
  const result = await stats('old');
  assert.equal(result.text, '');
  assert.match(result.stderr, /VM_NOT_RUNNING/);
  assert.equal(result.status, 3);
  assert.match((await stats('--json', 'none')).stderr, /"code": ?"VM_NOT_FOUND"/);
});

test('watching without a terminal gives one table after another, and Ctrl-C ends it quietly', async () => {
  const banger = new RunningBanger(daemon, ['vm', 'stats', '--watch', '--interval', '500ms', 'web']);
  await banger.says(/(?:NAME.*\nweb.*\n){3}/);
  banger.interrupt();
  await banger.ended;
  assert.equal(banger.child.signalCode, 'SIGINT');
  assert.equal(banger.stderr, '');
  assert.equal(banger.stdout.includes('\u001b'), false);
});

test('watching as JSON gives a line for each VM and round', async () => {
  const banger = new RunningBanger(daemon, ['vm', 'stats', '--watch', '--interval', '500ms', '--json']);
  await banger.says(/(?:.+\n){4}/);
  banger.interrupt();
  await banger.ended;
  const names = banger.stdout
    .split('\n')
    .slice(0, 4)
    .map((line) => (JSON.parse(line) as VmStats).vm.name);
  assert.deepEqual(names, ['web', 'db', 'web', 'db']);
});

test('watching ends with its reader', async () => {
  const command = ['sh', '-c', '"$@" | head -n 2; echo "${PIPESTATUS-}"', 'sh'];
  const banger = new RunningBanger(daemon, ['vm', 'stats', '-w', '--interval', '500ms'], command);
  await banger.ended;
  assert.match(banger.stdout, /^NAME.*\nweb.*\n/);
  assert.equal(banger.stderr, '');
});

test('watching ends when a VM that was named alone has stopped', async () => {
  const banger = new RunningBanger(daemon, ['vm', 'stats', '-w', '--interval', '500ms', 'web']);
  await banger.says(/web/);
  for (const vm of daemon.vms.values()) vm.state = 'stopped';
  assert.equal(await banger.ended, 3);
  assert.match(banger.stderr, /Cannot measure "web": it is stopped/);
});

test('an interval that makes no sense is refused', async () => {
  assert.match((await stats('-w', '--interval', '10ms')).stderr, /shorter than 500ms/);
  assert.equal((await stats('-w', '--interval', 'soon')).status, 2);
});

test('stats are drawn over each other, and Ctrl-C ends them', { skip }, async () => {
  const terminal = new OnTerminal(daemon, ['vm', 'stats', '--watch', '--interval', '500ms']);
  await terminal.shows(/\[2J.\[H.*NAME.*\r\nweb/s);
  await terminal.shows(/(?:\[H.*web.*){3}/s);
  assert.equal(terminal.screen.split('\u001b[2J').length, 2, 'cleared once');
  terminal.tell('type \\x03');
  assert.equal(await terminal.ended, 130);
  assert.match(terminal.screen, /\[left cooked\]/);
});
