import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { BoundedLog } from '#host/bounded-log.ts';
import { runBanger } from './run-banger.ts';
import { ScriptedDaemon } from './scripted-daemon.ts';
import { RunningBanger } from './spawn-banger.ts';

const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => `line ${from + index}`).join('\n');

test('the end of the log reaches back into the older one', async () => {
  await using daemon = await ScriptedDaemon.start();
  const { logPath } = daemon.layout;
  await mkdir(dirname(logPath), { recursive: true });
  await writeFile(`${logPath}.1`, `${numbers(1, 5)}\n`);
  await writeFile(logPath, `${numbers(6, 8)}\n`);
  const tail = async (lines: string) => (await runBanger(daemon, ['daemon', 'logs', '-n', lines])).text;
  assert.equal(await tail('2'), numbers(7, 8));
  assert.equal(await tail('3'), numbers(6, 8));
  assert.equal(await tail('5'), numbers(4, 8));
  assert.equal(await tail('100'), numbers(1, 8));
});

test('following goes on when the log begins anew', async (context) => {
  await using daemon = await ScriptedDaemon.start();
  const { logPath } = daemon.layout;
  await mkdir(dirname(logPath), { recursive: true });
  const fd = openSync(logPath, 'a');
  context.after(() => closeSync(fd));
  const log = new BoundedLog({ fd, path: logPath, maxBytes: 150 });
  const write = (from: number, to: number) => {
    for (let line = from; line <= to; line += 1) log.write(`line ${line}\n`);
  };
  write(1, 15);
  const banger = new RunningBanger(daemon, ['daemon', 'logs', '-f']);
  await banger.says(/line 15\n/);
  write(16, 25);
  await banger.says(/line 25\n/);
  write(26, 26);
  await banger.says(/line 26\n/);
  banger.interrupt();
  await banger.ended;
  assert.equal(banger.stdout, `${numbers(1, 26)}\n`);
});
