import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { after, before, test } from 'node:test';
import { pollUntil } from '#base/backoff.ts';
import { endProcess, endProcesses } from '#host/end-processes.ts';
import { findProcessesByCommandLine, isAlive, type ProcessIdentity } from '#host/proc.ts';
import { spawnDetached } from '#host/spawn-detached.ts';

const CHILD_AND_WAIT = 'tail -F "$1" & wait';

let folder: string;

before(async () => {
  folder = await mkdtemp(`${tmpdir()}/bgr-end-`);
});
after(() => rm(folder, { recursive: true }));

async function start(file: string, ...args: string[]): Promise<ProcessIdentity> {
  return (await spawnDetached(file, args, { logPath: `${folder}/log` })).identity;
}

/** The `tail` of this file. */
function childOf(name: string): Promise<ProcessIdentity> {
  const isChild = (argv: readonly string[]) => argv[0] === 'tail' && argv.includes(name);
  return pollUntil(async () => (await findProcessesByCommandLine(isChild))[0]);
}

test('a process is ended with the children in its group, which nobody has looked for', async () => {
  const name = `${folder}/child`;
  const parent = await start('sh', '-c', CHILD_AND_WAIT, 'sh', name);
  const child = await childOf(name);
  await endProcess(parent);
  await pollUntil(async () => ((await isAlive(child)) ? undefined : true));
  assert.equal(await isAlive(parent), false);
});

test('what comes to light while others are ended is ended too', async () => {
  const [first, second] = [await start('sleep', '1000'), await start('sleep', '1000')];
  const rounds: ProcessIdentity[][] = [[first], [second], []];
  await endProcesses(async () => rounds.shift() ?? []);
  assert.deepEqual([await isAlive(first), await isAlive(second)], [false, false]);
  assert.deepEqual(rounds, []);
});

test('one that leads no group, or is gone, is no fault', async () => {
  const name = `${folder}/member`;
  const leader = await start('sh', '-c', CHILD_AND_WAIT, 'sh', name);
  const member = await childOf(name);
  await endProcess(member);
  await endProcess(member);
  await endProcess(leader);
  assert.deepEqual([await isAlive(member), await isAlive(leader)], [false, false]);
});
