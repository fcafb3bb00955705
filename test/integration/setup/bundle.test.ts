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
    if (name === 'a') await import('./a.ts');
    if (name === 'b') await import('./b.ts');
    console.log((globalThis as { notes?: string[] }).notes?.join(' '), util);
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
  ] as const;
  for (const [name, expected] of cases) {
    const { stdout, stderr } = await clone.launch({ args: [name] });
    assert.equal(stdout, expected, stderr);
  }
  const dist = join(clone.folder, 'dist');
  // banger.js, what it loads at once, and per lazy module one, with what those two share in another.
  const files = readdirSync(dist).filter((name) => /^(banger|chunk-.*)\.js$/.test(name));
  assert.ok(files.length <= 5, files.join(' '));
  // An import statement for a module of Node's own costs time at each start.
  const texts = files.map((name) => readFileSync(join(dist, name), 'utf8'));
  assert.ok(!texts.some((text) => /^import .* from ["']node:/m.test(text)));
});
