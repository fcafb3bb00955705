import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Vm } from '#contract/owner/vm.ts';
import { FakeDaemonHome } from '../../support/fake-daemon.ts';
import { OnTerminal, skipWithoutTerminal } from './on-terminal.ts';
import { runBanger } from './run-banger.ts';

let home: FakeDaemonHome;
before(async () => {
  home = await FakeDaemonHome.create();
  (await home.start()).close();
});
after(() => home[Symbol.asyncDispose]());

const banger = (...args: string[]) => runBanger(home, args);

async function show(name: string): Promise<Vm> {
  return JSON.parse((await banger('vm', 'show', '--json', name)).text) as Vm;
}

async function create(name: string, ...flags: string[]): Promise<void> {
  assert.equal((await banger('vm', 'create', '--name', name, '--no-start', ...flags)).status, 0);
}

test('set says what it changed, and what waits for the next start', async () => {
  await create('set-1');
  await create('set-2');
  const both = await banger(
    'vm',
    'set',
    '--vcpu',
    '1',
    '--memory',
    '256M',
    '--auto-stop',
    '2h',
    'set-1',
    'set-2',
  );
  assert.deepEqual([both.text, both.status], ['set-1\nset-2', 0]);
  const { spec } = await show('set-2');
  assert.deepEqual([spec.vcpus, spec.memoryMiB, spec.autoStopAfterMs], [1, 256, 7_200_000]);
  await banger('vm', 'start', 'set-1');
  const running = await banger('vm', 'set', '--memory', '512M', '--auto-stop', 'default', 'set-1');
  assert.match(
    running.stderr,
    /"set-1" runs: memory will change at its next start \(banger vm restart set-1\)/,
  );
  assert.equal((await show('set-1')).spec.autoStopAfterMs, undefined);
  assert.deepEqual((await show('set-1')).pendingChanges, ['memoryMiB']);
});

test('set refuses what makes no sense, before it asks the daemon', async () => {
  const nothing = await banger('vm', 'set', 'set-1');
  assert.match(nothing.stderr, /nothing to change was given \[USAGE\]/);
  const oneName = await banger('vm', 'set', '--name', 'x', 'set-1', 'set-2');
  assert.match(oneName.stderr, /Cannot give several VMs one name \[USAGE\]/);
  const smaller = await banger('vm', 'set', '--disk-size', '1M', 'set-1');
  assert.match(smaller.stderr, /Cannot shrink the disk of "set-1".*\[DISK_TOO_SMALL\]/);
  assert.deepEqual([nothing.status, oneName.status, smaller.status], [2, 2, 3]);
});

test('rename prints the new name; a bad or taken one changes nothing', async () => {
  await create('old');
  assert.equal((await banger('vm', 'rename', 'old', 'new')).text, 'new');
  assert.match(
    (await banger('vm', 'rename', 'new', 'set-1')).stderr,
    /another VM is called "set-1" \[VM_NAME_TAKEN\]/,
  );
  const bad = await banger('vm', 'rename', 'new', 'No_Label');
  assert.match(bad.stderr, /\[INVALID_NAME\]/);
  assert.equal(bad.status, 2);
  assert.equal((await show('new')).name, 'new');
});

test('a name that is taken is refused before anything is made', async () => {
  await create('mine');
  const { id } = await show('mine');
  for (const words of [
    ['create', '--no-start'],
    ['run', '--rm'],
    ['run', '-d'],
  ]) {
    // oxlint-disable-next-line no-await-in-loop -- one command line after the other
    const taken = await banger('vm', ...words, '--name', 'mine');
    assert.match(
      taken.stderr,
      /Cannot create "mine": another VM has this name \[VM_NAME_TAKEN\]\nhint: choose another --name, or remove it: banger vm delete mine\n/,
    );
    assert.deepEqual([taken.text, taken.status], ['', 3]);
  }
  assert.equal((await show('mine')).id, id);
  await banger('vm', 'delete', 'mine');
});

test('kill, restart and touch', async () => {
  await create('plug');
  assert.equal((await banger('vm', 'restart', 'plug')).text, 'plug');
  assert.match(
    (await banger('vm', 'kill', '--signal', 'SIGUSR3', 'plug')).stderr,
    /not one of those allowed/,
  );
  assert.deepEqual(JSON.parse((await banger('vm', 'kill', '--json', 'plug')).text)[0].outcome, 'killed');
  assert.match((await banger('vm', 'kill', 'plug')).stderr, /"plug" was stopped already/);
  const touched = await banger('vm', 'touch', 'plug', 'nobody');
  assert.deepEqual([touched.text, touched.status], ['plug', 3]);
  assert.match(touched.stderr, /Cannot find "nobody"/);
  assert.ok((await show('plug')).touchedAt);
});

test('wait takes ports and refuses nonsense', async () => {
  const bad = await banger('vm', 'wait', '--for', 'port:70000', 'plug');
  assert.match(bad.stderr, /Cannot wait for "port:70000": it is no condition \[USAGE\]/);
  const late = await banger('vm', 'wait', '--for', 'port:4999', '--timeout', '200ms', 'set-1');
  assert.match(late.stderr, /Cannot see "set-1" listen on port 4999/);
});

test('prune needs a terminal or --force', async () => {
  const refused = await banger('vm', 'prune');
  assert.match(refused.stderr, /this is no terminal \[USAGE\]\nhint: give --force/);
  assert.equal(refused.status, 2);
});

test('prune asks with a table, and no is no', { skip: skipWithoutTerminal }, async () => {
  const terminal = new OnTerminal(home, ['vm', 'prune']);
  await terminal.shows(/plug[^]*Delete these \d VMs with their disks\? \[y\/N\]/);
  terminal.tell('type n\\r');
  assert.equal(await terminal.ended, 0);
  await terminal.shows('nothing was deleted');
  assert.equal((await show('plug')).state, 'stopped');
});

test('prune deletes what does not run, and nothing else', async () => {
  const pruned = await banger('vm', 'prune', '--force');
  assert.deepEqual(pruned.text.split('\n').toSorted(), ['new', 'plug', 'set-2']);
  assert.deepEqual((await banger('ps', '--json')).text.match(/"name": "[^"]*"/g), ['"name": "set-1"']);
  assert.match((await banger('vm', 'prune', '-f')).stderr, /nothing to delete/);
});
