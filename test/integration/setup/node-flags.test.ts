import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { runCommand } from '#host/run-command.ts';
import { LAUNCHER } from '../../support/test-home.ts';

const COUNT = `
require('node:net');
const { internalBinding } = require('internal/test/binding');
const { compiledWithCache, compiledWithoutCache } = internalBinding('builtins').getCacheUsage();
console.log(JSON.stringify({ with: [...compiledWithCache], without: [...compiledWithoutCache] }));
`;

describe('the flags that the launcher gives to Node', () => {
  it('leave what Node brings compiled valid', async () => {
    const used = await modulesOfNode(await launcherFlags());
    assert.ok(used.with.includes('net'));
    assert.ok(!used.without.includes('net'));
  });

  it('would be told from ones that do not', async () => {
    const used = await modulesOfNode(['--expose-gc']);
    assert.ok(used.without.includes('net'));
  });
});

async function launcherFlags(): Promise<string[]> {
  const line = /^exec "\$node" (.*) "\$root\/dist\/banger\.cjs"/m.exec(await readFile(LAUNCHER, 'utf8'));
  assert.ok(line?.[1], 'the launcher starts Node in another way');
  return line[1].split(' ');
}

/** As Node's own test of its code cache asks it. */
async function modulesOfNode(flags: string[]): Promise<{ with: string[]; without: string[] }> {
  const { stdout } = await runCommand(process.execPath, [...flags, '--expose-internals', '-e', COUNT]);
  return JSON.parse(stdout) as { with: string[]; without: string[] };
}
