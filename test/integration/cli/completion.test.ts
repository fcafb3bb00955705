import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { runProcess } from '../../support/run-process.ts';
import { BANGER } from './run-banger.ts';
import { ScriptedDaemon } from './scripted-daemon.ts';

let daemon: ScriptedDaemon;
let env: Record<string, string>;
before(async () => {
  daemon = await ScriptedDaemon.start();
  daemon.addVm('demo');
  daemon.addVm('debian-1');
  const program = join(daemon.root, 'banger');
  await writeFile(program, `#!/bin/sh\nexec ${process.execPath} ${BANGER} "$@"\n`);
  await chmod(program, 0o755);
  env = { ...daemon.env, PATH: `${daemon.root}:${daemon.env['PATH']}` };
});
after(() => daemon[Symbol.asyncDispose]());

/** What bash proposes for a line that ends where the cursor is. */
async function proposeInBash(...words: string[]): Promise<string[]> {
  const script = `source <(banger completion bash)
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_banger
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { text, stderr } = await runProcess('bash', ['-c', script, 'bash', 'banger', ...words], { env });
  assert.equal(stderr, '');
  return text.split('\n');
}

test('bash completes commands, flags and VM names', async () => {
  assert.deepEqual(await proposeInBash('vm', 'st'), ['start', 'stop', 'stats']);
  assert.deepEqual(await proposeInBash('vm', 'run', '--me'), ['--memory']);
  assert.deepEqual(await proposeInBash('vm', 'stop', 'de'), ['demo', 'debian-1']);
  assert.deepEqual(await proposeInBash('vm', 'exec', 'demo', '--', ''), ['']);
});

test('without a daemon there are no names, and none is started', async () => {
  const alone = {
    ...env,
    XDG_RUNTIME_DIR: join(daemon.root, 'nobody'),
    XDG_STATE_HOME: join(daemon.root, 'nowhere'),
  };
  const { text, status } = await runProcess('banger', ['complete', '--', 'vm', 'stop', ''], { env: alone });
  assert.deepEqual([text, status], ['', 0]);
  assert.equal(existsSync(join(daemon.root, 'nowhere')), false);
});

for (const shell of ['zsh', 'fish']) {
  test(`${shell} accepts its script`, async (t) => {
    const { text } = await runProcess('banger', ['completion', shell], { env });
    assert.match(text, /banger/);
    const check = await runProcess(shell, ['-n', '/dev/stdin'], { env, input: text }).catch(() => undefined);
    if (check === undefined) t.skip(`needs ${shell}`);
    else assert.deepEqual([check.stderr, check.status], ['', 0]);
  });
}
