import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempDisposable, open, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Readable } from 'node:stream';
import { test } from 'node:test';
import { READY_FD_VARIABLE } from '#host/ready-pipe.ts';

const PROGRAM = new URL('../../fixtures/notify-ready.ts', import.meta.url).pathname;

interface Run {
  message: object;
  /** Value of the variable; unset when left out. */
  variable?: string;
  /** What descriptor 3 is. */
  third?: 'pipe' | 'ignore' | number;
  /** Closes our end of the pipe before the program writes. */
  leave?: boolean;
}

async function run({ message, variable, third = 'pipe', leave = false }: Run) {
  const { [READY_FD_VARIABLE]: _, ...environment } = process.env;
  const child = spawn(process.execPath, [PROGRAM, JSON.stringify(message)], {
    stdio: ['ignore', 'pipe', 'inherit', third],
    env: { ...environment, ...(variable !== undefined && { [READY_FD_VARIABLE]: variable }) },
  });
  const pipe = child.stdio[3] as Readable | null;
  if (leave) pipe?.destroy();
  const exited = once(child, 'exit');
  const [said, told] = await Promise.all([
    text(child.stdout!),
    pipe && !leave ? text(pipe) : Promise.resolve(''),
  ]);
  const [code] = (await exited) as [number | null];
  return { said, told, code };
}

test('one line of JSON arrives, once, and the variable does not reach the children', async () => {
  const { said, told, code } = await run({ message: { ready: true }, variable: '3' });
  assert.equal(told, '{"ready":true}\n');
  assert.equal(said, 'end unset');
  assert.equal(code, 0);
});

test('a failure arrives with its code, on one line whatever its text', async () => {
  const error = { code: 'STORE_TOO_NEW', message: 'Cannot open "x":\na newer banger', hint: 'update' };
  const { told } = await run({ message: { error }, variable: '3' });
  assert.equal(told.indexOf('\n'), told.length - 1);
  assert.deepEqual(JSON.parse(told), { error });
});

test('nobody named, or no descriptor that could be one: nothing is written and nothing breaks', async () => {
  const variables = [undefined, '', '1', '2', '-1', '3.5', 'three', '1e9', '99'];
  const runs = await Promise.all(
    variables.map((variable) =>
      run({ message: { ready: true }, ...(variable !== undefined && { variable }) }),
    ),
  );
  for (const { said, told, code } of runs) {
    assert.equal(told, '');
    assert.match(said, /^end /);
    assert.equal(code, 0);
  }
});

test('a starter that has gone does not take the daemon with it', async () => {
  const { said, code } = await run({ message: { ready: true }, variable: '3', leave: true });
  assert.equal(said, 'end unset');
  assert.equal(code, 0);
});

test('a descriptor that happens to be a file is not written to', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'banger-ready-'));
  const path = join(folder.path, 'somebody else');
  await using file = await open(path, 'w');
  const { code } = await run({ message: { ready: true }, variable: '3', third: file.fd });
  assert.equal(code, 0);
  assert.equal(await readFile(path, 'utf8'), '');
});
