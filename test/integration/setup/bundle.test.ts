import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { SmallClone } from '../../support/small-clone.ts';

const SOURCES = {
  'src/bin/banger.ts': `
    import { util } from './early.ts';
    import { note } from './notes.ts';
    note('banger');
    const [name] = process.argv.slice(2);
    void run();
    async function run(): Promise<void> {
      if (name === 'a') await import('./a.ts');
      if (name === 'b') await import('./b.ts');
      if (name === 'schemas') note(String((await import('#contract/owner/vm.ts')).some));
      console.log((globalThis as { notes?: string[] }).notes?.join(' '), util);
    }
  `,
  'src/bin/notes.ts': `
    export function note(text: string): void {
      const all = globalThis as { notes?: string[] };
      (all.notes ??= []).push(text);
    }
  `,
  'src/bin/early.ts': `
    import { inspect } from 'node:util';
    import { note } from './notes.ts';
    note('early');
    export const util = typeof inspect;
  `,
  'src/bin/shared.ts':
    "import { note } from './notes.ts';\nimport * as z from 'zod';\nnote(`shared-${typeof z.string}`);\n",
  'src/bin/a.ts':
    "import './shared.ts';\nimport './early.ts';\nimport { note } from './notes.ts';\nnote('a');\n",
  'src/bin/b.ts': "import './shared.ts';\nimport { note } from './notes.ts';\nnote('b');\n",
};

test('in the bundle each module runs once, in order, and only when it is needed', async () => {
  using clone = new SmallClone();
  for (const [path, text] of Object.entries(SOURCES)) clone.write(path, text);
  const cases = [
    ['none', 'early banger function\n'],
    ['a', 'early banger shared-function a function\n'],
    ['b', 'early banger shared-function b function\n'],
    ['schemas', 'early banger 1 function\n'],
  ] as const;
  for (const [name, expected] of cases) {
    const { stdout, stderr } = await clone.launch({ args: [name] });
    assert.equal(stdout, expected, stderr);
  }
  const dist = join(clone.folder, 'dist');
  const files = readdirSync(dist).filter((name) => name.endsWith('.cjs'));
  assert.deepEqual(files.toSorted(), [
    'banger.cjs',
    'events.cjs',
    'machine.cjs',
    'schemas.cjs',
    'table.cjs',
    'zod.cjs',
  ]);
  // Requiring a module of Node's own costs more at each start than asking the process for it.
  const texts = files.map((name) => readFileSync(join(dist, name), 'utf8'));
  assert.ok(!texts.some((text) => /require\(["']node:/.test(text)));
});
